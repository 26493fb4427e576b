import { printable } from '../drift/check-error.ts'
import { type Finding, setUpWoodpecker } from '../woodpecker/setup.ts'
import { openWoodpecker } from '../woodpecker/woodpecker-api.ts'
import { WrongSettings } from '../wrong-settings.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { painter } from './plan.ts'
import { redactor } from './redact.ts'
import { readWoodpeckerSettings } from './woodpecker-settings.ts'
import type { World } from './world.ts'

/** `gitops-status woodpecker setup`: makes the cron job, and says what else is missing. */
export async function woodpeckerCommand([action, ...args]: readonly string[], world: World): Promise<ExitCode> {
  if (action !== 'setup') {
    throw new WrongSettings([
      action === undefined || action.startsWith('-')
        ? 'say what to do: gitops-status woodpecker setup'
        : `unknown action ${JSON.stringify(action)}: it is gitops-status woodpecker setup`,
    ])
  }
  const { serverUrl, token, request, color } = await readWoodpeckerSettings(args, world)
  const paint = painter(color)
  const marks = {
    ok: paint('✓', 'green'),
    done: paint('✓', 'green'),
    'to do': paint('~', 'yellow'),
    wrong: paint('✗', 'red'),
    unseen: paint('?', 'yellow'),
  } satisfies Record<Finding['outcome'], string>

  const woodpecker = openWoodpecker({ serverUrl, token, redact: redactor([token]), signal: world.signal })
  let allWell = true
  for await (const finding of setUpWoodpecker(woodpecker, request)) {
    const { what, outcome, detail, hint } = finding
    // It quotes what a server said.
    world.console.out(`${marks[outcome]} ${printable(what)}: ${printable(detail)}`)
    if (hint !== undefined) world.console.out(paint(`    → ${printable(hint)}`, 'dim'))
    if (outcome === 'wrong' || outcome === 'unseen') allWell = false
  }
  return allWell ? EXIT.ok : EXIT.unknown
}
