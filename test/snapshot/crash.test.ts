import { MemoryStore } from '../support/memory-store.ts';
import { describeCrashes } from './crash-suite.ts';

// Goal and method: those of the suite, on a store in memory, with every step ending a run in many of its occurrences.

describeCrashes('memory', { newStore: () => Promise.resolve(new MemoryStore()), occurrences: [1, 2, 3, 5, 8, 13], rounds: 14 });
