import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { World } from './world.ts'

interface PipelineFile {
  readonly steps: readonly {
    readonly name: string
    readonly commands: readonly string[]
    readonly environment: Readonly<Record<string, string | { readonly from_secret: string }>>
  }[]
}

/** Runs a step's commands as Woodpecker does, in one shell that ends with the first that fails. Returns how it ended. */
export async function runStep(file: string, name: string, { directory, lab }: World): Promise<number | null> {
  const { steps } = parse(readFileSync(file, 'utf8')) as PipelineFile // ours
  const step = steps.find((one) => one.name === name)
  if (step === undefined) throw new Error(`${file} has no step ${name}`)
  const secrets: Readonly<Record<string, string>> = { SSH_PRIVATE_KEY: lab.privateKey }
  const environment = Object.entries(step.environment).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : secrets[value.from_secret],
  ])
  const child = spawn('/bin/sh', ['-e', '-c', step.commands.join('\n')], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      LC_ALL: 'C.UTF-8',
      // Where the server is.
      ANSIBLE_SSH_COMMON_ARGS: `-F ${lab.sshConfigForAgent}`,
      ...Object.fromEntries(environment),
    },
    stdio: 'ignore',
  })
  const [code] = await once(child, 'close')
  return code
}
