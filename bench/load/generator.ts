// The load generator: a process of its own, so that what it costs is not counted as the server's, nor the other way
// round. It is told one job by its parent, does it, tells the result, and ends when the parent has heard it: what a
// process says as its last word can get lost.
import { once } from 'node:events'
import { type ClosedLoop, runClosedLoop } from './closed-loop.ts'
import type { GeneratorMessage, Job } from './job.ts'
import { type OpenLoop, runOpenLoop } from './open-loop.ts'

function tell(message: GeneratorMessage): void {
  process.send?.(message)
}

function isOpenLoop(job: Job): job is OpenLoop {
  return job.pace.kind === 'at-a-rate'
}

process.on('disconnect', () => process.exit())

const [job]: [Job] = await once(process, 'message').then(([message]) => [message])
const before = process.cpuUsage()
const measured = isOpenLoop(job)
  ? await runOpenLoop(job, (stretch) => tell({ stretch }))
  : await runClosedLoop(job as ClosedLoop)
const { user, system } = process.cpuUsage(before)
tell({ result: { ...measured, generatorCpuMicros: (user + system) / Math.max(1, measured.answeredInAll) } })
