import { readFileSync, statSync } from 'node:fs'
import { CannotStart } from '../domain/cannot-start.ts'
import type { Token } from '../domain/token.ts'
import { parseTokenFile } from './token-file.ts'

// A thousand tokens need a tenth of it.
const MAX_BYTES = 4 * 1024 * 1024

/**
 * The tokens of a file, as it is whenever they are asked for. A file that becomes wrong changes nothing and is told of
 * once: who may report must not change because of a missing comma.
 *
 * @throws CannotStart when it is wrong from the start
 */
export function createConfiguredTokens(
  path: string,
  log: { error(fields: object, words: string): void; info(fields: object, words: string): void },
): () => readonly Token[] {
  let version = ''
  let wrong: unknown = null
  let tokens: readonly Token[] = []

  function look(): void {
    const file = statSync(path)
    if (!file.isFile()) throw new Error('is not a file') // to read a pipe is to wait for whoever writes
    const { ino, size, mtimeMs } = file
    const found = `${ino} ${size} ${mtimeMs}`
    if (found === version) {
      if (wrong !== null) throw wrong
      return
    }
    version = found
    wrong = null
    try {
      tokens = read(size)
    } catch (error) {
      wrong = error
      throw error
    }
    log.info({ path, tokens: tokens.length }, 'tokens read')
  }

  function read(size: number): readonly Token[] {
    if (size > MAX_BYTES) throw new Error(`has more than ${MAX_BYTES} bytes`)
    return parseTokenFile(readFileSync(path, 'utf8'))
  }

  try {
    look()
  } catch (cause) {
    throw new CannotStart(`The file of tokens ${path} cannot be used: ${messageOf(cause)}`, { cause })
  }
  let told = ''
  return () => {
    try {
      look()
      told = ''
    } catch (error) {
      const reason = messageOf(error)
      if (reason !== told) log.error({ path, reason }, 'the file of tokens cannot be used: those of before still count')
      told = reason
    }
    return tokens
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
