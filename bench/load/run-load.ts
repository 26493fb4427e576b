import { fork } from 'node:child_process'
import { endWithUs } from '../servers/end-with-us.ts'
import type { GeneratorMessage, Job, LoadResult, Stretch } from './job.ts'

const GENERATOR = new URL('./generator.ts', import.meta.url)

/** Runs the load generator once, in a process of its own. */
export async function runLoad(job: Job, onStretch: (stretch: Stretch) => void = () => {}): Promise<LoadResult> {
  const child = fork(GENERATOR, { execArgv: [] })
  endWithUs(child)
  const { promise, resolve, reject } = Promise.withResolvers<LoadResult>()
  child.on('message', (message: GeneratorMessage) => {
    if ('stretch' in message) onStretch(message.stretch)
    else {
      resolve(message.result)
      child.disconnect()
    }
  })
  child.on('exit', (code) => reject(new Error(`The load generator ended with ${code} and no result`)))
  child.send(job)
  return promise
}

/** What makes a round void; null when every answer was a success. */
export function failureOf({ failures, unanswered }: LoadResult): string | null {
  const all = Object.entries(failures).map(([what, count]) => `${count} × ${what}`)
  if (unanswered > 0) all.push(`${unanswered} unanswered`)
  return all.length === 0 ? null : all.join(', ')
}
