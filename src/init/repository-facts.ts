/** What a generated file has to know of the repository that it is for. Paths are relative to its root. */
export interface RepositoryFacts {
  /** REPO_NAME */
  readonly repo: string
  /** SERVER_NAME; null: every host of the inventory under its own name. */
  readonly server: string | null
  readonly serverUrl: string
  /** The branch that is deployed. */
  readonly branch: string
  /** Somebody named it. Otherwise a pipeline that can say so deploys whatever branch is the default one. */
  readonly isBranchChosen: boolean
  readonly image: string
  readonly inventory: string
  /** The playbook that deploys. The drift check runs it, too, in check mode. */
  readonly deployPlaybook: string
  /** Tries the configuration without changing anything; null: check mode of the one that deploys. */
  readonly validatePlaybook: string | null
  readonly ansibleConfig: string | null
  /** Whether the repository's own ansible.cfg says where the host keys are. */
  readonly configuresHostKeys: boolean
  /** Whether gitops-status-server asks for a token. */
  readonly token: boolean
}

/** Where update-gitops-status.sh looks, so that it needs no arguments. */
export const CHECK_PLAYBOOK = 'ansible/playbooks/drift-check.yml'
export const KNOWN_HOSTS = 'ansible/known_hosts'
export const DEFAULT_INVENTORY = 'ansible/inventory/hosts.yml'
