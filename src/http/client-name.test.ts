import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clientName } from './client-name.ts'

describe('the client in the log', () => {
  const NAMES: [string | undefined, string][] = [
    ['gitops-status/0.1.0 (Woodpecker)', 'Woodpecker'],
    ['gitops-status/0.1.0 (GitHub Actions)', 'GitHub Actions'],
    ['gitops-status/0.1.0', 'gitops-status'],
    ['curl/8.5.0', 'curl'],
    ['Mozilla/5.0 (X11; Linux)', 'Mozilla'],
    ['evil/1 (Woodpecker)', 'evil'],
    ['gitops-status/0.1.0 (\u001b[2J)', '[2J'],
    [`gitops-status/1 (${'x'.repeat(100)})`, 'gitops-status'],
    ['"quoted"', 'unknown client'],
    ['', 'unknown client'],
    [undefined, 'unknown client'],
  ]
  for (const [userAgent, name] of NAMES) {
    it(`is "${name}" for ${JSON.stringify(userAgent)}`, () => assert.equal(clientName(userAgent), name))
  }
})
