-- The three tables that rentfold reads, with a few rows to look at. Run once, when the database of docker-compose.yml is made.

CREATE TABLE properties (
  id uuid PRIMARY KEY,
  user_id uuid,
  display_name text,
  cash_invested numeric(14, 2),
  down_payment numeric(14, 2),
  purchase_price numeric(14, 2),
  current_market_value numeric(14, 2)
);

CREATE TABLE rents (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  property_id uuid NOT NULL,
  unit_id uuid,
  payment_date date NOT NULL,
  amount numeric(14, 2) NOT NULL,
  is_non_irs_revenue boolean NOT NULL DEFAULT false
);

CREATE TABLE expenses (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  property_id uuid NOT NULL,
  unit_id uuid,
  date date NOT NULL,
  amount numeric(14, 2) NOT NULL,
  expense_type text,
  is_planned boolean NOT NULL DEFAULT false
);

INSERT INTO properties (id, display_name, cash_invested, down_payment) VALUES
  ('11111111-1111-4111-8111-111111111111', 'Maple Street 12', 48000.00, 60000.00),
  ('22222222-2222-4222-8222-222222222222', 'Harbour View 7', NULL, 35000.00);

-- Rent of this year and the last, on the first of every month that has come; costs on the tenth.
INSERT INTO rents (property_id, payment_date, amount)
  SELECT id, month::date, 1450.00
  FROM properties, generate_series(date_trunc('year', now()) - interval '1 year', now(), interval '1 month') AS month;

INSERT INTO rents (property_id, payment_date, amount, is_non_irs_revenue)
  SELECT id, (date_trunc('year', now()) - interval '1 year')::date, 2900.00, true FROM properties;

INSERT INTO expenses (property_id, date, amount, expense_type)
  SELECT id, (month + interval '9 days')::date, 640.00, 'pandi'
  FROM properties, generate_series(date_trunc('year', now()) - interval '1 year', now(), interval '1 month') AS month;

INSERT INTO expenses (property_id, date, amount, expense_type, is_planned) VALUES
  ('11111111-1111-4111-8111-111111111111', now()::date, 214.50, 'insurance', false),
  ('11111111-1111-4111-8111-111111111111', now()::date, 3200.00, 'rehab', false),
  ('22222222-2222-4222-8222-222222222222', now()::date, 900.00, 'capex', true);
