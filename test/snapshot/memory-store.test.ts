import { createMemoryPlace, MemoryStore } from '../support/memory-store.ts';
import { describeStore } from './store-suite.ts';

// Goal: the store that other tests use in the place of a real one keeps the same contract. Method: the contract suite.

describeStore('memory', () => {
  const place = createMemoryPlace();
  return Promise.resolve({ open: () => Promise.resolve(new MemoryStore(place)) });
});
