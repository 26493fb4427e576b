import { createMemoryStore } from './memory-store.ts'
import { describeStore } from './store-contract.ts'
import { describeTokenStore } from './token-store-contract.ts'

describeStore('memory', async () => createMemoryStore())
describeTokenStore('memory', async () => createMemoryStore())
