export interface Slots {
  /** Begins the work when there is room for it. */
  use<T>(work: () => Promise<T>): Promise<T>
}

// An sshd refuses connections when more than ten have not yet logged in (its MaxStartups), and all hosts may lie
// behind one jump host.
const AT_ONCE = 8
// Who has not finished by then waits for somebody else, and takes no room from those who would work.
const WORKING_MS = 1_000

/** Room for a few pieces of work at once. One that hangs gives its place to the next, and goes on. */
export function createSlots({ atOnce = AT_ONCE, workingMs = WORKING_MS } = {}): Slots {
  const waiting: (() => void)[] = []
  let free = atOnce

  function give(): void {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }

  return {
    async use(work) {
      if (free > 0) free -= 1
      else await new Promise<void>((resolve) => waiting.push(resolve))
      let isHeld = true
      const release = () => {
        if (isHeld) give()
        isHeld = false
      }
      const timer = setTimeout(release, workingMs)
      try {
        return await work()
      } finally {
        clearTimeout(timer)
        release()
      }
    },
  }
}
