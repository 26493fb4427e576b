/** One event, as a browser would hand it on. */
export interface SeenEvent {
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server sent; each test looks at what it is about
  readonly data: any
  /** The id that came with it. */
  readonly id: string | null
}

/** Reads an event stream as the HTML standard says, from however it was cut. Returns what each piece completed. */
export function createEventReader(): (piece: string) => SeenEvent[] {
  let rest = ''

  return (piece) => {
    const blocks = (rest + piece).split('\n\n')
    rest = blocks.pop() ?? ''
    return blocks.flatMap((block) => {
      const fields = new Map<string, string>()
      for (const line of block.split('\n')) {
        const colon = line.indexOf(':')
        fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''))
      }
      const data = fields.get('data')
      if (data === undefined) return [] // retry, or a heartbeat
      return [{ event: fields.get('event') ?? 'message', data: JSON.parse(data), id: fields.get('id') ?? null }]
    })
  }
}

/** What someone believes who follows the events: the newest row of every target. */
export interface Follower {
  readonly rows: ReadonlyMap<string, unknown>
  readonly events: readonly SeenEvent[]
  lastEventId(): string | undefined
  /** @throws Error when the number of an id is not greater than the ones before */
  take(event: SeenEvent): void
}

export function createFollower(): Follower {
  const rows = new Map<string, unknown>()
  const events: SeenEvent[] = []
  let lastId: string | undefined
  let newest = -1

  return {
    rows,
    events,
    lastEventId: () => lastId,
    take(seen) {
      const { event, data, id } = seen
      events.push(seen)
      if (event === 'reset') {
        rows.clear()
        lastId = undefined
        newest = -1
      }
      if (event === 'target') rows.set(`${data.repo} ${data.server}`, data)
      if (event === 'removed') rows.delete(`${data.repo} ${data.server}`)
      if (id === null || id === '') return
      const seq = Number.parseInt(id, 10)
      // Silences that a server tells who comes from another one take nobody further.
      const isNewer = event === 'ready' || /^\d+-\w+$/.test(id) ? seq >= newest : seq > newest
      if (!isNewer) throw new Error(`the id ${id} came after ${lastId}`)
      lastId = id
      newest = seq
    },
  }
}
