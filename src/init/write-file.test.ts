import assert from 'node:assert/strict'
import { mkdtempDisposableSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { writeFile } from './write-file.ts'

const FILE = { path: 'run.sh', content: 'ours\n', executable: true, onlyIfMissing: false }

describe('a file of init', () => {
  it('is made with its mode, and nothing is left beside it', () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'write-file-'))
    writeFile(folder.path, FILE, { replace: false })

    assert.equal(statSync(join(folder.path, 'run.sh')).mode & 0o777, 0o755)
    assert.deepEqual(readdirSync(folder.path), ['run.sh'])
  })

  it('replaces another only when it may', () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'write-file-'))
    const path = join(folder.path, 'run.sh')
    writeFileSync(path, 'theirs\n')

    assert.throws(() => writeFile(folder.path, FILE, { replace: false }), { code: 'EEXIST' })
    assert.equal(readFileSync(path, 'utf8'), 'theirs\n')
    assert.deepEqual(readdirSync(folder.path), ['run.sh'])

    writeFile(folder.path, FILE, { replace: true })
    assert.equal(readFileSync(path, 'utf8'), 'ours\n')
  })
})
