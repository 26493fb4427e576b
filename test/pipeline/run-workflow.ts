import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Stage, Step } from './workflow.ts'

export interface StepResult {
  readonly name: string
  readonly state: 'success' | 'failure' | 'skipped'
  readonly exitCode: number | null
  /** All of it, as the step's own processes saw it. */
  readonly environment: Readonly<Record<string, string>>
  /** What Woodpecker shows: standard output and standard error as they came. */
  readonly output: string
}

export interface PipelineResult {
  readonly status: 'success' | 'failure'
  readonly steps: readonly StepResult[]
}

export interface Machine {
  /** The checkout in which all steps work. */
  readonly directory: string
  /** What an image brings: PATH, HOME. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * Runs the stages as Woodpecker's runtime does (pipeline/runtime): one stage after the other, the steps of one at the
 * same time; a step is skipped by what failed before, unless that failure is to be ignored. A shell takes the place of
 * the container, with the script that the container would be given (pipeline/backend/common/script_posix.go).
 */
export async function runWorkflow(stages: readonly Stage[], machine: Machine): Promise<PipelineResult> {
  const steps: StepResult[] = []
  let failed = false
  for (const stage of stages) {
    const before: PipelineResult['status'] = failed ? 'failure' : 'success'
    const results: readonly StepResult[] = await Promise.all(stage.map((step) => runStep(step, before, machine)))
    steps.push(...results)
    failed ||= results.some(({ state }, index) => state === 'failure' && !stage[index]?.ignoreFailure)
  }
  return { status: failed ? 'failure' : 'success', steps }
}

async function runStep(step: Step, before: 'success' | 'failure', machine: Machine): Promise<StepResult> {
  const environment = {
    ...machine.environment,
    ...step.environment,
    CI_WORKSPACE: machine.directory,
    CI_PIPELINE_STATUS: before,
    CI_STEP_NAME: step.name,
  }
  const { name } = step
  if (before === 'success' ? !step.onSuccess : !step.onFailure)
    return { name, state: 'skipped', exitCode: null, environment, output: '' }

  const child = spawn('/bin/sh', ['-c', 'echo $CI_SCRIPT | base64 -d | /bin/sh -e'], {
    env: { ...environment, CI_SCRIPT: Buffer.from(script(step, machine.directory)).toString('base64') },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [exitCode] = (await once(child, 'close')) as [number | null]
  return { name, state: exitCode === 0 ? 'success' : 'failure', exitCode, environment, output }
}

/** The commands come in by standard input: one that reads it would swallow those after it. */
function script({ commands }: Step, directory: string): string {
  return [
    'unset CI_SCRIPT',
    `cd ${quoted(directory)}`,
    ...commands.flatMap((command) => [`echo + ${quoted(command)}`, command]),
    '',
  ].join('\n')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`
}
