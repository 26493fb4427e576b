import { memo, useMemo, useRef } from 'react'
import { visibleText } from '../../visible-text.ts'
import { useKeys } from '../parts/keys.ts'
import { numberWords } from '../parts/words.ts'
import type { ChangeWish } from './use-wish.ts'
import type { Counts, Group, View, Wish } from './wish.ts'

interface Props {
  /** What choosing each would show. */
  readonly counts: Counts
  /** The same of the whole fleet. */
  readonly totals: Counts
  readonly wish: Wish
  readonly change: ChangeWish
  /** Somebody is about to type. */
  readonly onSearch: () => void
}

const GROUP_WORD: Readonly<Record<Group, string>> = {
  none: 'No groups',
  repo: 'By repository',
  drift: 'By the same drift',
}
const VIEW_WORD: Readonly<Record<View, string>> = { table: 'Table', tiles: 'Tiles' }

// Nobody finds one of more in a list; the search does.
const MOST_SERVERS = 500

export function Toolbar({ counts, totals, wish, change, onSearch }: Props) {
  const search = useRef<HTMLInputElement>(null)
  useKeys({
    '/': (event) => {
      event.preventDefault()
      search.current?.focus()
    },
    Escape: () => {
      if (wish.search !== '') change({ search: '' })
      search.current?.blur()
    },
  })

  return (
    <search className="toolbar">
      <input
        ref={search}
        type="search"
        placeholder="Search  ( / )"
        aria-label="Search targets, files, commits"
        aria-keyshortcuts="/"
        value={wish.search}
        onFocus={onSearch}
        onChange={({ target }) => change({ search: target.value })}
      />
      <Choice
        label="Repository"
        all="All repositories"
        name="repo"
        isOffered={totals.repo.size > 1}
        {...{ counts: counts.repo, totals: totals.repo, value: wish.repo, change }}
      />
      <Choice
        label="Server"
        all="All servers"
        name="server"
        isOffered={totals.server.size > 1 && totals.server.size <= MOST_SERVERS}
        {...{ counts: counts.server, totals: totals.server, value: wish.server, change }}
      />
      <Choice
        label="Changed by"
        all="By anyone"
        name="who"
        isOffered={totals.who.size > 0}
        {...{ counts: counts.who, totals: totals.who, value: wish.who, change }}
      />
      <select
        aria-label="Group"
        value={wish.group}
        onChange={({ target }) => change({ group: target.value as Group, open: [] })}
      >
        {Object.entries(GROUP_WORD).map(([group, word]) => (
          <option key={group} value={group}>
            {word}
          </option>
        ))}
      </select>
      <select aria-label="View" value={wish.view} onChange={({ target }) => change({ view: target.value as View })}>
        {Object.entries(VIEW_WORD).map(([view, word]) => (
          <option key={view} value={view}>
            {word}
          </option>
        ))}
      </select>
    </search>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly all: string
  readonly name: 'repo' | 'server' | 'who'
  readonly counts: ReadonlyMap<string, number>
  readonly totals: ReadonlyMap<string, number>
  readonly value: string
  /** Also to those who have chosen nothing in it. */
  readonly isOffered: boolean
  readonly change: ChangeWish
}

/** One name of several, each with the number of targets that it would show. */
const Choice = memo(function Choice({ label, all, name, counts, totals, value, isOffered, change }: ChoiceProps) {
  const names = useMemo(() => (isOffered ? [...totals.keys()].sort() : []), [totals, isOffered])
  if (!isOffered && value === '') return null
  // A name in the address that nobody has any more is still what was asked for.
  const shown = value === '' || names.includes(value) ? names : [value, ...names]
  return (
    <select
      aria-label={label}
      className={value === '' ? undefined : 'chosen'}
      value={value}
      onChange={({ target }) => change({ [name]: target.value })}
    >
      <option value="">{all}</option>
      {shown.map((one) => (
        <option key={one} value={one}>
          {visibleText(one)} ({numberWords(counts.get(one) ?? 0)})
        </option>
      ))}
    </select>
  )
})
