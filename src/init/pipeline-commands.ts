import { CHECK_PLAYBOOK, DEFAULT_INVENTORY, KNOWN_HOSTS, type RepositoryFacts } from './repository-facts.ts'

/** What each step runs: the same in every CI. */
export interface PipelineCommands {
  readonly syntaxCheck: string
  readonly validate: string
  /** Check mode cannot follow every playbook to the end on a server that is new: that must not keep it from a deploy. */
  readonly validateMayFail: boolean
  readonly deploy: string
  readonly update: string
}

/** @param key Prints the private key; a secret store has often trimmed its last line break, or made each a CRLF. */
export function pipelineCommands(facts: RepositoryFacts, key: string): PipelineCommands {
  const playbook = `ansible-playbook -i ${facts.inventory}`
  const { deployPlaybook, validatePlaybook } = facts
  // The agent ends with the command that it was started around, and the key is never written down.
  const withKey = (command: string) => `ssh-agent sh -c '${key} | tr -d "\\r" | ssh-add -q - && ${command}'`
  return {
    syntaxCheck: `${playbook} --syntax-check ${deployPlaybook} ${CHECK_PLAYBOOK}`,
    validate: withKey(validatePlaybook ? `${playbook} ${validatePlaybook}` : `${playbook} --check ${deployPlaybook}`),
    validateMayFail: validatePlaybook === null,
    deploy: withKey(`${playbook} ${deployPlaybook}`),
    update:
      facts.inventory === DEFAULT_INVENTORY
        ? './update-gitops-status.sh'
        : `./update-gitops-status.sh --inventory ${facts.inventory}`,
  }
}

/** Variables of the steps that are no secrets, as pairs in the order in which a file shows them. */
export interface PipelineVariables {
  readonly ansible: readonly Variable[]
  /** For Ansible run as it is. The drift check sees to the host keys by itself. */
  readonly ansibleOverSsh: readonly Variable[]
  readonly update: readonly Variable[]
}

export type Variable = readonly [name: string, value: string]

/** @param intervalSeconds How often the CI really starts a check, where that is not what the server takes for granted. */
export function pipelineVariables(facts: RepositoryFacts, intervalSeconds: number | null): PipelineVariables {
  const ansible: Variable[] = facts.ansibleConfig === null ? [] : [['ANSIBLE_CONFIG', facts.ansibleConfig]]
  const hostKeys: Variable[] = [
    // An ansible.cfg that switches it off would win over the line after it.
    ['ANSIBLE_HOST_KEY_CHECKING', 'true'],
    ['ANSIBLE_SSH_EXTRA_ARGS', `-o UserKnownHostsFile=${KNOWN_HOSTS} -o StrictHostKeyChecking=yes`],
  ]
  return {
    ansible,
    ansibleOverSsh: facts.configuresHostKeys ? ansible : [...ansible, ...hostKeys],
    update: [
      ['GITOPS_STATUS_SERVER_URL', facts.serverUrl],
      ['REPO_NAME', facts.repo],
      ...(facts.server === null ? [] : [['SERVER_NAME', facts.server] as const]),
      ...(intervalSeconds === null ? [] : [['GITOPS_STATUS_INTERVAL', String(intervalSeconds)] as const]),
    ],
  }
}
