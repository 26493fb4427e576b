import { isDeepStrictEqual } from 'node:util'
import { type Comparison, compareFile } from '../init/compare-file.ts'
import { PIPELINES } from '../init/pipelines.ts'
import { DEFAULT_INVENTORY } from '../init/repository-facts.ts'
import { type ScaffoldFile, scaffold } from '../init/scaffold.ts'
import { writeFile } from '../init/write-file.ts'
import { harmless } from './check-command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { findRepository } from './find-repository.ts'
import { isYes, readInitSettings } from './init-settings.ts'
import type { World } from './world.ts'

/** `gitops-status init`: writes what a repository of one's own needs, and nothing over what is there without a yes. */
export async function initCommand(args: readonly string[], world: World): Promise<ExitCode> {
  const { directory, console, env } = world
  const ask = world.ask ?? null
  const found = await findRepository(directory, env)
  const { ci, facts, dryRun, overwrite } = await readInitSettings(args, { env, directory, found, ask })

  const left: string[] = []
  for (const file of scaffold(ci, facts, found)) {
    const is = compareFile(directory, file)
    if ('difference' in is) console.out(harmless(is.difference))
    const mayWrite =
      is.state === 'missing' ||
      ('difference' in is &&
        (overwrite || dryRun || (ask !== null && isYes(await ask(`Replace ${file.path} (y/N)? `)))))
    if (mayWrite && !dryRun) {
      try {
        // The yes was for what was shown. Somebody may have taken long over it.
        if (!isDeepStrictEqual(compareFile(directory, file), is)) throw new Error('it was changed meanwhile')
        writeFile(directory, file, { replace: is.state !== 'missing' })
      } catch (error) {
        console.err(`✗ ${file.path}: ${error instanceof Error ? error.message : error}`)
        left.push(file.path)
        continue
      }
    }
    if (!mayWrite && ('difference' in is || is.state === 'in the way')) left.push(file.path)
    console.out(outcome(file, is, { mayWrite, dryRun }))
    if (dryRun && is.state === 'missing') console.out(indented(file.content))
  }
  if (!dryRun) {
    console.out('')
    console.out('What is left to do:')
    for (const step of PIPELINES[ci].nextSteps(facts)) console.out(`  * ${step}`)
    console.out('  * Put the host keys of the servers into ansible/known_hosts')
    const where = facts.inventory === DEFAULT_INVENTORY ? '' : ` --inventory ${facts.inventory}`
    console.out(`  * Ask for what else is missing: gitops-status doctor${where}`)
  }
  if (left.length === 0) return EXIT.ok
  console.err(`✗ Left as it was: ${left.join(', ')}. Look at the difference, and run init again with --overwrite`)
  return EXIT.unknown
}

function outcome(
  { path }: ScaffoldFile,
  is: Comparison,
  { mayWrite, dryRun }: { readonly mayWrite: boolean; readonly dryRun: boolean },
): string {
  const would = dryRun ? 'would be ' : ''
  switch (is.state) {
    case 'missing':
      return `+ ${path} ${would}written`
    case 'same':
      return `= ${path} is as it should be`
    case 'kept':
      return `= ${path} is yours and stays as it is`
    case 'different':
    case 'not executable':
      return mayWrite ? `~ ${path} ${would}replaced` : `! ${path} differs and was left as it is`
    case 'in the way':
      return `! ${path} was not written: ${is.reason}`
  }
}

function indented(text: string): string {
  return text.trimEnd().replaceAll(/^(?=.)/gm, '    ')
}
