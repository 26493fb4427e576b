import type { TargetName } from '../contract/status-json.ts'
import { Fault } from '../domain/fault.ts'

/** Also for a target that the one who asks may not know of: the words do not tell it from one that is not there. */
export function noSuchTarget({ repo, server }: TargetName): Fault {
  const shown = [repo, server].map((name) => JSON.stringify(name.slice(0, 80).toWellFormed()))
  return new Fault('not_found', `There is no target of repository ${shown.join(' on server ')}`)
}
