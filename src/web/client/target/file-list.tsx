import { memo, useMemo, useState } from 'react'
import { visibleText } from '../../visible-text.ts'
import { CAUSE_WORD } from '../parts/cause.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { FilePath } from '../parts/file-path.tsx'
import { Reported, Visible } from '../parts/reported.tsx'
import { Time } from '../parts/time.tsx'
import { uniqueKeys } from '../parts/unique-keys.ts'
import { CHANGE_WORD, countOf, numberWords } from '../parts/words.ts'
import { linesOfDifference } from './file-difference.ts'
import type { Shown } from './shown.ts'

type File = Shown['files'][number]

// With more, each is opened by hand.
const OPEN_AT_FIRST = 5
const SHOWN_AT_FIRST = 100
const SHOWN_MORE = 500
// The longest that Linux takes has 4,096 bytes; the whole is copied, and stands in the title.
const LONG_NAME = 400
const LONG_NAME_END = 200

/** The drifted files: what changed in each, since when, and by whom. */
export function FileList({
  files,
  isTruncated,
  count,
  isKnown,
}: {
  readonly files: readonly File[]
  readonly isTruncated: boolean
  readonly count: number
  /** UNKNOWN without files says nothing about files. */
  readonly isKnown: boolean
}) {
  const [room, setRoom] = useState(SHOWN_AT_FIRST)
  if (files.length === 0)
    return <p className="dim">{isKnown && count === 0 ? 'No file differs from Git.' : 'Not known.'}</p>
  const shown = files.slice(0, room)
  const keys = uniqueKeys(shown.map(({ path, name }) => path ?? name))
  return (
    <>
      <ul className="file-list">
        {shown.map((file, index) => (
          <li key={keys[index]}>
            <FileItem file={file} isOpenAtFirst={files.length <= OPEN_AT_FIRST} />
          </li>
        ))}
      </ul>
      {(files.length > room || isTruncated) && (
        <p className="dim">
          And {countOf(count - shown.length, 'more file')}.{' '}
          {files.length > room && (
            <button type="button" onClick={() => setRoom(room + SHOWN_MORE)}>
              Show {Math.min(SHOWN_MORE, files.length - room)} more
            </button>
          )}
        </p>
      )}
    </>
  )
}

function FileItem({ file, isOpenAtFirst }: { readonly file: File; readonly isOpenAtFirst: boolean }) {
  const [isOpen, setIsOpen] = useState(isOpenAtFirst)
  const facts = factsOf(file)
  const head = (
    <>
      <Name text={file.path ?? file.name} />{' '}
      {file.change !== undefined && <span className="change">{CHANGE_WORD[file.change]}</span>}{' '}
      {file.cause !== undefined && <span className="change">{CAUSE_WORD[file.cause]}</span>}{' '}
      {file.kind === 'resource' && <span className="change">not a file: a task</span>}
      <span className="dim who">
        {file.modified_at !== undefined && (
          <span>
            written <Time at={file.modified_at} />
          </span>
        )}
        {file.modified_by !== undefined && (
          <span>
            changed by <Reported text={file.modified_by} />
          </span>
        )}
        {file.first_seen !== null && (
          <span>
            found by the check of <Time at={file.first_seen} />
          </span>
        )}
      </span>
    </>
  )
  if (facts.length === 0 && file.diff === undefined) {
    return (
      <div className="file">
        {head} <CopyButton text={file.path ?? file.name} what="the path" />
      </div>
    )
  }
  return (
    <details className="file" open={isOpen} onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>{head}</summary>
      <CopyButton text={file.path ?? file.name} what="the path" />
      {facts.length > 0 && (
        <table className="facts">
          <thead>
            <tr>
              <th scope="col" />
              <th scope="col">Git declares</th>
              <th scope="col">the server has</th>
            </tr>
          </thead>
          <tbody>
            {facts.map(({ name, expected, actual }) => (
              <tr key={name} className={differ(expected, actual) ? 'differs' : 'same'}>
                <th scope="row">{name}</th>
                <FactCell value={expected} />
                <FactCell value={actual} />
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {isOpen && file.diff !== undefined && <Difference text={file.diff} />}
    </details>
  )
}

function Name({ text }: { readonly text: string }) {
  if (text.length <= LONG_NAME) {
    return (
      <code className="name">
        <FilePath path={text} />
      </code>
    )
  }
  const [start, end] = [text.slice(0, LONG_NAME_END).toWellFormed(), text.slice(-LONG_NAME_END).toWellFormed()]
  return (
    <code className="name" title={visibleText(text)}>
      <Reported text={start} />
      <span className="dim"> … {numberWords(text.length - 2 * LONG_NAME_END)} more characters … </span>
      <Reported text={end} />
    </code>
  )
}

const FACT_WORD = { type: 'type', mode: 'mode', owner: 'owner', group: 'group', sha256: 'SHA-256' } as const

function factsOf({ expected, actual }: File) {
  const names = Object.keys(FACT_WORD) as (keyof typeof FACT_WORD)[]
  return names
    .filter((name) => expected?.[name] !== undefined || actual?.[name] !== undefined)
    .map((name) => ({ name: FACT_WORD[name], expected: expected?.[name], actual: actual?.[name] }))
}

/** What is told of one side alone is no difference: of a file whose mode has changed, Git's digest is not sent. */
function differ(expected: string | undefined, actual: string | undefined): boolean {
  return expected !== undefined && actual !== undefined && expected !== actual
}

function FactCell({ value }: { readonly value: string | undefined }) {
  if (value === undefined) return <td>–</td>
  return (
    <td>
      <code title={visibleText(value)}>
        <Reported text={shorten(value)} />
      </code>
    </td>
  )
}

// Of a digest the beginning tells two apart; the whole stands in its title.
function shorten(value: string): string {
  return value.length === 64 ? `${value.slice(0, 16)}…` : value
}

const SIGN = { removed: '−', added: '+', same: ' ', place: ' ', note: ' ' } as const

// Comparing words takes its time, and the page is drawn anew whenever something of the fleet changes.
const Difference = memo(function Difference({ text }: { readonly text: string }) {
  const lines = useMemo(() => linesOfDifference(text), [text])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse must be able to scroll it
    <pre className="difference" tabIndex={0}>
      {lines.map(({ kind, parts }, number) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a text that never changes its order
        <span key={number} className={kind}>
          <span className="sign">{SIGN[kind]}</span>
          {parts.map(({ text: part, isMarked }, index) =>
            isMarked ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: as above
              <mark key={index}>
                <Visible text={part} hasLines />
              </mark>
            ) : (
              // biome-ignore lint/suspicious/noArrayIndexKey: as above
              <Visible key={index} text={part} hasLines />
            ),
          )}
          {'\n'}
        </span>
      ))}
    </pre>
  )
})
