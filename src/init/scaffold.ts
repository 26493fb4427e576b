import { driftCheckPlaybook, EMPTY_KNOWN_HOSTS } from './ansible-files.ts'
import { type CiName, PIPELINES, type Pipeline } from './pipelines.ts'
import { CHECK_PLAYBOOK, KNOWN_HOSTS, type RepositoryFacts } from './repository-facts.ts'
import { wrapperText } from './wrapper.ts'

export interface ScaffoldFile {
  /** Relative to the root of the repository. */
  readonly path: string
  readonly content: string
  readonly executable: boolean
  /** Whether it belongs to the user from the moment it is there: its content says something that we do not know. */
  readonly onlyIfMissing: boolean
}

export interface Existing {
  readonly isFile: (path: string) => boolean
  readonly isFolder: (path: string) => boolean
}

/** The files that a repository needs to be checked and reported by this CI. */
export function scaffold(ci: CiName, facts: RepositoryFacts, there: Existing): ScaffoldFile[] {
  const pipeline: Pipeline = PIPELINES[ci]
  const file = { executable: false, onlyIfMissing: false }
  return [
    { ...file, path: pathOf(pipeline, there), content: pipeline.render(facts) },
    { ...file, path: 'update-gitops-status.sh', content: wrapperText(), executable: true },
    { ...file, path: CHECK_PLAYBOOK, content: driftCheckPlaybook(facts), onlyIfMissing: true },
    { ...file, path: KNOWN_HOSTS, content: EMPTY_KNOWN_HOSTS, onlyIfMissing: true },
  ]
}

function pathOf({ file, before }: Pipeline, { isFile, isFolder }: Existing): string {
  if (before === undefined) return file
  if (isFolder(before.folder)) return `${before.folder}/gitops.yml`
  return isFile(before.file) ? before.file : file
}
