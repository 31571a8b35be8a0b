import { createDice, Diary, type DemoChange } from './demo-diary.ts';

/**
 * The demo portfolio: twelve properties of two owners over three years, January 2024 to December 2026, and a thirteenth that was
 * entered by mistake. Ids are easy to type: property `1111…`, its units `11111111-0001-…` and on.
 */

const idOf = (digit: string, middle: string): string => `${digit.repeat(8)}-${middle}-${digit.repeat(12)}`;
/** Id of a property by its digit, `1` to `9`, `a` to `d`. */
export const propertyId = (digit: string): string => idOf(digit, `${digit.repeat(4)}-4${digit.repeat(3)}-8${digit.repeat(3)}`);
/** Id of a unit by its property's digit and its number. */
export const unitId = (digit: string, unit: number): string => idOf(digit, `000${unit}-4${digit.repeat(3)}-8${digit.repeat(3)}`);

const OWNER_ANNA = '0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0a';
const OWNER_BEN = '0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b';

interface Property {
  readonly digit: string;
  readonly name: string;
  readonly owner: string;
  /** First and last month with entries, `YYYY-MM`. */
  readonly from: string;
  readonly to: string;
  readonly cashInvested: string | null;
  readonly downPayment: string | null;
  readonly price: string;
  readonly value: string | null;
  /** Monthly payment to the bank, cents; 0 without a loan. */
  readonly pandi: number;
  /** Percent of the rents that a manager takes. */
  readonly managementPercent: number;
  readonly taxHalfYear: number;
  readonly insuranceYear: number;
  /** Typical monthly utilities, cents; 0 when tenants pay their own. */
  readonly utilities: number;
  /** Monthly fee of an owners' association, cents: an expense type with no category of its own. */
  readonly hoa?: number;
}

const PROPERTIES: readonly Property[] = [
  { digit: '1', name: 'Maple Street 12', owner: OWNER_ANNA, from: '2024-01', to: '2026-11', cashInvested: '118000.00', downPayment: '96000.00', price: '480000.00', value: '545000.00', pandi: 2_214_37, managementPercent: 8, taxHalfYear: 2_340_00, insuranceYear: 1_865_00, utilities: 284_00 },
  { digit: '2', name: 'Harbour View 7', owner: OWNER_ANNA, from: '2024-01', to: '2026-11', cashInvested: null, downPayment: '68000.00', price: '340000.00', value: '371500.00', pandi: 1_571_90, managementPercent: 0, taxHalfYear: 1_615_50, insuranceYear: 1_240_00, utilities: 96_00 },
  { digit: '3', name: 'Oak Lane 3', owner: OWNER_ANNA, from: '2024-01', to: '2026-11', cashInvested: '54000.00', downPayment: '45000.00', price: '225000.00', value: null, pandi: 1_043_12, managementPercent: 0, taxHalfYear: 988_00, insuranceYear: 915_00, utilities: 0 },
  { digit: '4', name: 'Elm Court 21', owner: OWNER_BEN, from: '2024-01', to: '2026-11', cashInvested: '92500.00', downPayment: null, price: '410000.00', value: '432000.00', pandi: 1_902_66, managementPercent: 10, taxHalfYear: 1_990_75, insuranceYear: 1_577_40, utilities: 212_00 },
  { digit: '5', name: 'Station Road 88', owner: OWNER_BEN, from: '2024-01', to: '2026-11', cashInvested: '47250.00', downPayment: null, price: '189000.00', value: '201000.00', pandi: 884_20, managementPercent: 0, taxHalfYear: 845_00, insuranceYear: 780_00, utilities: 0, hoa: 145_00 },
  { digit: '6', name: 'Birch Close 5', owner: OWNER_BEN, from: '2024-01', to: '2026-11', cashInvested: '71300.00', downPayment: '60000.00', price: '300000.00', value: '318000.00', pandi: 1_388_05, managementPercent: 9, taxHalfYear: 1_420_25, insuranceYear: 1_105_00, utilities: 118_00 },
  { digit: '7', name: 'Mill Cottage', owner: OWNER_ANNA, from: '2024-01', to: '2025-06', cashInvested: '39000.00', downPayment: '33000.00', price: '165000.00', value: null, pandi: 764_48, managementPercent: 0, taxHalfYear: 702_00, insuranceYear: 690_00, utilities: 0 },
  { digit: '8', name: 'Zoë’s Court 4', owner: OWNER_ANNA, from: '2024-01', to: '2026-11', cashInvested: null, downPayment: null, price: '130000.00', value: '155000.00', pandi: 0, managementPercent: 0, taxHalfYear: 611_00, insuranceYear: 560_00, utilities: 0, hoa: 188_50 },
  { digit: '9', name: 'Pine Ridge 40', owner: OWNER_BEN, from: '2024-01', to: '2026-11', cashInvested: '58800.00', downPayment: '50000.00', price: '250000.00', value: '268000.00', pandi: 1_156_71, managementPercent: 8, taxHalfYear: 1_112_00, insuranceYear: 934_00, utilities: 0 },
  { digit: 'a', name: 'Cedar Heights 2', owner: OWNER_BEN, from: '2024-06', to: '2026-11', cashInvested: '0.00', downPayment: '41000.00', price: '205000.00', value: '212000.00', pandi: 947_83, managementPercent: 15, taxHalfYear: 901_40, insuranceYear: 1_020_00, utilities: 164_00 },
  { digit: 'c', name: 'Garden Flat 9', owner: OWNER_ANNA, from: '2025-03', to: '2026-11', cashInvested: '33600.00', downPayment: '28000.00', price: '140000.00', value: null, pandi: 648_15, managementPercent: 0, taxHalfYear: 598_00, insuranceYear: 545_00, utilities: 74_00 },
];

/** Who lives where: digit, unit number (0: the property has no units), first and last month, monthly rent and deposit in cents. */
type Lease = readonly [digit: string, unit: number, from: string, to: string, rent: number, deposit: number];
const LEASES: readonly Lease[] = [
  ['1', 1, '2024-01', '2025-05', 1_150_00, 1_150_00], ['1', 1, '2025-07', '2026-11', 1_240_00, 1_240_00],
  ['1', 2, '2024-01', '2024-12', 1_095_00, 1_095_00], ['1', 2, '2025-01', '2026-11', 1_135_00, 0],
  ['1', 3, '2024-01', '2026-11', 1_180_00, 1_180_00], ['1', 4, '2024-03', '2026-11', 1_060_00, 1_060_00],
  ['2', 1, '2024-01', '2026-11', 1_425_00, 2_850_00], ['2', 2, '2024-01', '2025-09', 1_390_00, 1_390_00], ['2', 2, '2025-11', '2026-11', 1_480_00, 1_480_00],
  ['3', 0, '2024-01', '2025-12', 1_575_00, 1_575_00], ['3', 0, '2026-01', '2026-11', 1_640_00, 0],
  ['4', 1, '2024-01', '2026-11', 1_210_00, 1_210_00], ['4', 2, '2024-01', '2025-03', 1_175_50, 1_175_50], ['4', 2, '2025-04', '2026-11', 1_220_00, 1_220_00],
  ['4', 3, '2024-02', '2026-11', 990_00, 990_00],
  ['5', 0, '2024-01', '2026-11', 1_285_00, 1_285_00],
  ['6', 1, '2024-01', '2026-11', 1_330_00, 1_330_00], ['6', 2, '2024-01', '2025-02', 1_105_00, 1_105_00], ['6', 2, '2025-05', '2026-11', 1_165_00, 1_165_00],
  ['7', 0, '2024-01', '2025-06', 1_120_00, 1_120_00],
  ['8', 0, '2024-01', '2026-11', 1_060_00, 0],
  ['9', 0, '2024-01', '2026-11', 1_690_00, 1_690_00],
  ['c', 0, '2025-06', '2026-11', 1_010_00, 1_010_00],
];

const REPAIRS = ['Boiler service', 'Blocked drain', 'Window lock', 'Tap washer', 'Smoke alarms', 'Garden cut back', 'Gutters cleaned', 'Fridge repaired', 'Painter', 'Stair lamp'] as const;

/** The whole diary of the demo, in order of time. */
export function demoChanges(): readonly DemoChange[] {
  const diary = new Diary();
  for (const property of PROPERTIES) buy(diary, property);
  for (const property of PROPERTIES) {
    for (const month of monthsBetween(property.from, property.to)) runMonth(diary, property, month);
  }
  for (const lease of LEASES) letOut(diary, lease);
  letByTheNight(diary);
  bigWorks(diary);
  mistakes(diary);
  quayHouse(diary);
  return diary.changes();
}

/** Months from `from` to `to`, both included, as `YYYY-MM`. */
function monthsBetween(from: string, to: string): string[] {
  const months: string[] = [];
  let [year, month] = from.split('-').map(Number) as [number, number];
  for (;;) {
    const text = `${year}-${String(month).padStart(2, '0')}`;
    if (text > to) return months;
    months.push(text);
    month += 1;
    if (month > 12) [year, month] = [year + 1, 1];
  }
}

function buy(diary: Diary, property: Property): void {
  const id = propertyId(property.digit);
  diary.property(`${property.from}-02T08:1${property.digit.charCodeAt(0) % 10}:00Z`, id, {
    user_id: property.owner, display_name: property.name, cash_invested: property.cashInvested, down_payment: property.downPayment,
    purchase_price: property.price, current_market_value: null,
  });
  if (property.value !== null) diary.correct('2026-01-12T10:00:00Z', 'properties', id, { current_market_value: property.value });
}

/** The regular expenses of one month: loan and fees by standing order (one transaction for all properties), the rest by hand. */
function runMonth(diary: Diary, property: Property, month: string): void {
  const id = propertyId(property.digit);
  const monthNumber = Number(month.slice(5));
  const standingOrder = `${month}-15T04:00:00Z`;
  if (property.pandi > 0) diary.expense({ property: id, date: `${month}-15`, amount: property.pandi, type: 'pandi' }, standingOrder);
  if (property.hoa !== undefined) diary.expense({ property: id, date: `${month}-15`, amount: property.hoa, type: 'hoa' }, standingOrder);
  if (property.utilities > 0) {
    const cold = monthNumber <= 3 || monthNumber >= 11 ? 140 : 90;
    diary.expense({ property: id, date: `${month}-08`, amount: Math.floor((property.utilities * (cold + diary.dice(25))) / 100), type: 'utilities' });
  }
  if (monthNumber === 4 || monthNumber === 10) diary.expense({ property: id, date: `${month}-10`, amount: property.taxHalfYear, type: 'tax', notes: 'Property tax, half year' });
  if (monthNumber === 2 || month === property.from && monthNumber > 2) diary.expense({ property: id, date: `${month}-05`, amount: property.insuranceYear, type: 'insurance' });
  if (diary.dice(10) < 6) {
    const day = String(3 + diary.dice(17)).padStart(2, '0');
    diary.expense({ property: id, date: `${month}-${day}`, amount: 45_00 + diary.dice(240_00), type: 'maintenance', notes: REPAIRS[diary.dice(REPAIRS.length)]! });
  }
}

/** A tenancy: deposit at its start and back at its end (not revenue for the tax office), a rent each month, the manager's share. */
function letOut(diary: Diary, [digit, number, from, to, rent, deposit]: Lease): void {
  const property = propertyId(digit);
  const unit = number === 0 ? null : unitId(digit, number);
  const percent = PROPERTIES.find((p) => p.digit === digit)!.managementPercent;
  if (deposit > 0) diary.rent({ property, unit, date: `${from}-02`, cents: deposit, about: 'Security deposit', deposit: true });
  for (const month of monthsBetween(from, to)) {
    diary.rent({ property, unit, date: `${month}-0${1 + diary.dice(6)}`, cents: rent, about: 'Rent' });
    if (percent > 0) diary.expense({ property, unit, date: `${month}-07`, amount: Math.floor((rent * percent) / 100), type: 'property_management' });
  }
  const staysOn = LEASES.some((next) => next[0] === digit && next[1] === number && next[2] > to && next[5] === 0);
  if (deposit > 0 && to < '2026-11' && !staysOn) diary.rent({ property, unit, date: `${to}-28`, cents: -deposit, about: 'Security deposit returned', deposit: true });
}

/** Cedar Heights is let to guests: uneven revenue, three payouts a month, a refund now and then. */
function letByTheNight(diary: Diary): void {
  const dice = createDice(7);
  const property = propertyId('a');
  for (const month of monthsBetween('2024-07', '2026-11')) {
    const season = ['06', '07', '08', '12'].includes(month.slice(5)) ? 3 : 2;
    let earned = 0;
    for (const day of ['04', '12', '20']) {
      const cents = season * (210_00 + dice(90_00));
      earned += cents;
      diary.rent({ property, date: `${month}-${day}`, cents, about: 'Guests, payout' });
    }
    if (dice(6) === 0) diary.rent({ property, date: `${month}-20`, cents: -95_00 - dice(60_00), about: 'Refund to a guest' });
    diary.expense({ property, date: `${month}-20`, amount: Math.floor((earned * 15) / 100), type: 'property_management' });
  }
}

/** Larger works, work only planned, refurbishment before letting (never in the figures), and types without a category. */
function bigWorks(diary: Diary): void {
  const p = propertyId;
  diary.expense({ property: p('1'), date: '2024-09-17', amount: 11_480_00, type: 'capex', notes: 'New roof over units 3 and 4' });
  diary.expense({ property: p('1'), unit: unitId('1', 3), date: '2025-11-04', amount: 2_315_60, type: 'capex', notes: 'Kitchen' });
  diary.expense({ property: p('1'), date: '2027-04-01', amount: 18_500_00, type: 'capex', planned: true, notes: 'Facade, offer only' }, '2026-10-06T09:30:00Z');
  diary.expense({ property: p('2'), unit: unitId('2', 2), date: '2025-10-14', amount: 3_760_00, type: 'rehab', notes: 'Between two tenants' });
  diary.expense({ property: p('2'), unit: unitId('2', 1), date: '2026-03-11', amount: 1_249_99, type: 'capex', notes: 'Heat pump control' });
  diary.expense({ property: p('3'), date: '2025-05-20', amount: 4_900_00, type: 'capex', notes: 'Bathroom' });
  diary.expense({ property: p('4'), date: '2026-08-03', amount: 6_120_00, type: 'capex', notes: 'Windows, north side' });
  diary.expense({ property: p('4'), unit: unitId('4', 2), date: '2025-03-30', amount: 320_00, type: 'legal', notes: 'New lease drawn up' });
  diary.expense({ property: p('5'), date: '2024-11-19', amount: 75_00, type: '', notes: 'Parking permit' });
  diary.expense({ property: p('6'), unit: unitId('6', 2), date: '2025-04-09', amount: 2_050_00, type: 'rehab', notes: 'Flat empty for two months' });
  diary.expense({ property: p('8'), date: '2025-02-26', amount: 140_25, type: null, notes: 'Unsorted receipt' });
  diary.expense({ property: p('c'), date: '2025-04-22', amount: 8_400_00, type: 'rehab', notes: 'Before the first tenant' });
  diary.expense({ property: p('c'), date: '2026-05-13', amount: 3_980_00, type: 'capex', notes: 'Floor' });
}

/** What goes wrong in an office: wrong amounts, wrong units, bills entered twice, a property that is none, and one amount that is no number. */
function mistakes(diary: Diary): void {
  const p = propertyId;
  const mistyped = diary.expense({ property: p('3'), date: '2025-09-23', amount: 8_150_00, type: 'maintenance', notes: 'Chimney' });
  diary.correct('2025-09-29T09:12:00Z', 'expenses', mistyped, { amount: '815.00' });
  const wrongUnit = diary.rent({ property: p('4'), unit: unitId('4', 1), date: '2026-02-16', cents: 85_00, about: 'Laundry' });
  diary.correct('2026-02-18T11:40:00Z', 'rents', wrongUnit, { unit_id: unitId('4', 3) });
  const wrongYear = diary.rent({ property: p('8'), date: '2024-12-30', cents: 60_00, about: 'Garage' });
  diary.correct('2025-01-04T08:05:00Z', 'rents', wrongYear, { payment_date: '2025-01-03' });
  const capexAfterAll = diary.expense({ property: p('6'), date: '2024-06-18', amount: 940_00, type: 'maintenance', notes: 'Water heater' });
  diary.correct('2024-12-11T15:20:00Z', 'expenses', capexAfterAll, { expense_type: 'capex', notes: 'Water heater, replaced' });
  const twice = diary.expense({ property: p('9'), date: '2024-08-14', amount: 412_70, type: 'maintenance', notes: 'Fence (entered twice)' });
  diary.remove('2024-08-21T10:03:00Z', 'expenses', twice);
  const bounced = diary.rent({ property: p('5'), date: '2025-08-05', cents: 1_285_00, about: 'Rent (payment bounced)' });
  diary.remove('2025-08-08T14:44:00Z', 'rents', bounced);
  diary.property('2026-09-14T13:00:00Z', p('d'), {
    user_id: OWNER_ANNA, display_name: 'Entered by mistake', cash_invested: null, down_payment: null, purchase_price: null, current_market_value: null,
  });
  diary.remove('2026-09-14T13:20:00Z', 'properties', p('d'));
  diary.expense({ property: p('9'), date: '2026-10-21', amount: 'NaN', type: 'maintenance', notes: 'Import from a spreadsheet' });
}

/** Quay House, bought in September 2026: few rows, round numbers. The README works through it by hand. */
function quayHouse(diary: Diary): void {
  const property = propertyId('b');
  const rent = (date: string, cents: number, about: string): string => diary.rent({ property, date, cents, about, deposit: about === 'Security deposit' });
  const expense = (date: string, amount: number, type: string | null, notes: string | null = null, planned = false): string => diary.expense({ property, date, amount, type, notes, planned });
  diary.property('2026-09-01T09:00:00Z', property, {
    user_id: OWNER_BEN, display_name: 'Quay House 1', cash_invested: '36500.00', down_payment: '30000.00', purchase_price: '152000.00', current_market_value: null,
  });
  rent('2026-09-05', 1_450_00, 'Security deposit');
  rent('2026-09-05', 1_450_00, 'Rent');
  rent('2026-10-05', 1_450_00, 'Rent');
  const mistyped = rent('2026-11-05', 1_540_00, 'Rent');
  diary.correct('2026-11-06T09:15:00Z', 'rents', mistyped, { amount: '1450.00' });
  diary.rent({ property, date: '2026-12-01', cents: 1_450_00, about: 'Rent, paid early' }, '2026-11-20T16:10:00Z');
  for (const month of ['09', '10', '11']) expense(`2026-${month}-15`, 640_00, 'pandi');
  expense('2026-09-03', 214_50, 'insurance');
  expense('2026-09-10', 3_200_00, 'rehab', 'New floors before letting');
  expense('2026-09-20', 110_00, 'locksmith');
  expense('2026-10-02', 68_20, 'utilities');
  const twice = expense('2026-10-02', 68_20, 'utilities', 'Entered twice');
  diary.remove('2026-10-09T11:30:00Z', 'expenses', twice);
  const elsewhere = diary.expense({ property: propertyId('c'), date: '2026-10-19', amount: 125_00, type: 'maintenance', notes: 'Door closer' });
  diary.correct('2026-10-27T10:50:00Z', 'expenses', elsewhere, { property_id: property });
  expense('2026-11-02', 87_00, 'property_management');
  expense('2026-11-10', 195_30, 'tax');
  expense('2026-11-18', 900_00, 'capex', 'Planned for spring', true);
}
