import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { parse } from 'yaml'
import { parseReport } from '../../src/contract/report.ts'
import { LONG } from '../server/long.ts'
import type { CodeBlock } from './code-blocks.ts'
import type { Ended } from './terminal.ts'
import type { World } from './world.ts'

/** Where a reader is who goes through a document from its top. */
export interface Reader extends World {
  /** What the last command printed. */
  printed: string
  /** What goes on running until the document is at its end. */
  readonly running: (() => Promise<void>)[]
}

/** What becomes of a block. */
export type Treatment =
  | {
      readonly kind: 'done'
      readonly by: (reader: Reader, block: CodeBlock) => Promise<void> | void
      /** What of it is not the real thing. */
      readonly standIn?: string
    }
  /** Not run here, for a reason, and where it is run otherwise. */
  | { readonly kind: 'elsewhere'; readonly reason: string }
  | { readonly kind: 'picture' }
  /** No line in documents.ts says what it is. */
  | { readonly kind: 'unknown' }

export interface RunOptions {
  readonly before?: (reader: Reader) => Promise<void>
  readonly exitCode?: number
  readonly standIn?: string
  readonly shows?: (ended: Ended, reader: Reader) => Promise<void> | void
}

/** Commands that end. */
export function runs({ before, exitCode = 0, standIn, shows }: RunOptions = {}): Treatment {
  return {
    kind: 'done',
    ...(standIn !== undefined && { standIn }),
    async by(reader, { text }) {
      await before?.(reader)
      const ended = await reader.terminal.run(text)
      reader.printed = ended.stdout
      assert.equal(ended.code, exitCode, `${ended.stdout}${ended.stderr}`)
      await shows?.(ended, reader)
    },
  }
}

/** Commands that end, for which the gate has no time. */
export function inFull(reason: string, options: RunOptions): Treatment {
  return LONG ? runs(options) : isRunElsewhere(reason)
}

/** Commands that go on until the document is at its end. */
export function staysRunning(said: RegExp): Treatment {
  return {
    kind: 'done',
    async by(reader, { text }) {
      const { end } = await reader.terminal.start(text, said)
      reader.running.push(end)
    },
  }
}

/** Commands that a reader ends with Ctrl-C. */
export function runsUntil(said: RegExp, { standIn }: Pick<RunOptions, 'standIn'> = {}): Treatment {
  return {
    kind: 'done',
    ...(standIn !== undefined && { standIn }),
    async by(reader, { text }) {
      const { end } = await reader.terminal.start(text, said)
      await end()
    },
  }
}

/** The document shows what the block before printed; `…` stands for what is left out. */
export function isPrinted(): Treatment {
  return {
    kind: 'done',
    by({ printed }, { text }) {
      const pattern = text
        .split('…')
        .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('[\\s\\S]*')
      assert.match(printed, new RegExp(`^${pattern}\n*$`), `the document shows:\n${text}\nand this was printed:`)
    },
  }
}

/** A report as the server takes it. */
export function isReport(): Treatment {
  return {
    kind: 'done',
    by(_, { text }) {
      const parsed = parseReport(JSON.parse(text))
      assert.ok('body' in parsed, JSON.stringify(parsed))
      assert.deepEqual(parsed.warnings, [])
    },
  }
}

export function isYaml(check: (value: unknown, reader: Reader) => Promise<void> | void): Treatment {
  return { kind: 'done', by: (reader, { text }) => check(parse(text), reader) }
}

export function isPicture(): Treatment {
  return { kind: 'picture' }
}

export function isRunElsewhere(reason: string): Treatment {
  return { kind: 'elsewhere', reason }
}

/** Comes back when it does not throw any more. */
export async function eventually(attempt: () => Promise<void>, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
    await wait(250)
  }
}
