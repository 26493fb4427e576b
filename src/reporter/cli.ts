import { closestWord } from '../closest-word.ts'
import { WrongSettings } from '../wrong-settings.ts'
import { type CommandContext, checkCommand } from './check-command.ts'
import { originOf } from './ci.ts'
import type { Console } from './console.ts'
import { doctorCommand } from './doctor-command.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import {
  type CheckCommandName,
  COMMAND_HELP,
  type CommandName,
  environmentHelp,
  exitCodeHelp,
  helpFor,
  overview,
} from './help.ts'
import { initCommand } from './init-command.ts'
import { progressTo, reportCommand } from './report-command.ts'
import { readSettings } from './settings.ts'
import { VERSION } from './version.ts'
import { watchCommand } from './watch-command.ts'
import { readWatchSettings } from './watch-settings.ts'
import { woodpeckerCommand } from './woodpecker-command.ts'
import type { World } from './world.ts'

const CHECK_COMMANDS = {
  report: reportCommand,
  check: checkCommand,
  doctor: doctorCommand,
} satisfies Record<CheckCommandName, (context: CommandContext) => Promise<ExitCode>>

/** They have flags and an environment of their own. */
const OTHER_COMMANDS = {
  watch,
  init: initCommand,
  woodpecker: woodpeckerCommand,
} satisfies Record<Exclude<CommandName, CheckCommandName>, (args: readonly string[], world: World) => Promise<ExitCode>>

/** The program `gitops-status`. Never rejects for what a user or the world around did. */
export async function runCli(args: readonly string[], world: World): Promise<ExitCode> {
  const { env, directory, console, terminal, signal } = world
  const [command, ...rest] = args

  if (command === undefined || command === 'help' || command === '--help' || command === '-h') {
    return showHelp(rest[0], command === undefined, console)
  }
  if (command === 'version' || command === '--version') {
    console.out(`gitops-status ${VERSION}`)
    return EXIT.ok
  }
  if (!isCommand(command)) {
    const guess = closestWord(command, Object.keys(COMMAND_HELP))
    console.err(`Unknown command ${JSON.stringify(command)}${guess ? `; did you mean ${guess}?` : ''}\n`)
    console.err(overview())
    return EXIT.usage
  }
  if (beforeDoubleDash(rest).some((arg) => arg === '--help' || arg === '-h')) return showHelp(command, false, console)

  try {
    if (!isCheckCommand(command)) return await OTHER_COMMANDS[command](rest, world)
    const settings = readSettings(rest, env, terminal)
    if (command === 'report' && env.GITOPS_STATUS_ANNOUNCED !== '1')
      ANNOUNCEMENT.forEach(progressTo({ settings, console }))
    return await CHECK_COMMANDS[command]({ settings, env, directory, origin: originOf(env), console, signal })
  } catch (error) {
    if (!(error instanceof WrongSettings)) throw error
    for (const problem of error.problems) console.err(`✗ ${problem}`)
    console.err(`Try: gitops-status help ${command}`)
    return EXIT.usage
  }
}

function watch(
  args: readonly string[],
  { env, terminal, directory, console, signal, screen }: World,
): Promise<ExitCode> {
  const settings = readWatchSettings(args, env, terminal)
  return watchCommand({
    ...{ settings, env, directory, origin: originOf(env), console, signal },
    ...(screen && settings.color && { screen }),
  })
}

/** update-gitops-status.sh says it before it looks for anything, and then sets GITOPS_STATUS_ANNOUNCED. */
const ANNOUNCEMENT = ['==> Running drift-check playbook...', 'Step 1/4: Running drift-check playbook...']

function showHelp(topic: string | undefined, missing: boolean, console: Console): ExitCode {
  if (topic !== undefined && isCommand(topic)) console.out(helpFor(topic))
  else if (topic === 'exit-codes') console.out(exitCodeHelp())
  else if (topic === 'environment') console.out(environmentHelp())
  else (missing ? console.err : console.out)(overview())
  return missing ? EXIT.usage : EXIT.ok
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMAND_HELP, name)
}

function isCheckCommand(name: CommandName): name is CheckCommandName {
  return Object.hasOwn(CHECK_COMMANDS, name)
}

function beforeDoubleDash(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--')
  return end === -1 ? args : args.slice(0, end)
}
