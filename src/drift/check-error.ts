/**
 * Everything that keeps a check from a finding. Each makes the status UNKNOWN; the sentence says what happened, the
 * hint what to do about it. A new code is a line here; the truth table (truth-table.test.ts) asks for its row.
 */
export const CHECK_ERRORS = {
  temporary_unwritable: ['No temporary file could be written', 'Look at TMPDIR where the check runs'],
  ansible_missing: ['ansible-playbook could not be started', 'Install ansible-core where the check runs'],
  playbook_missing: ['The playbook does not exist', 'Name it with --playbook'],
  playbook_invalid: ['Ansible cannot read the playbook', 'Run ansible-playbook --syntax-check on it'],
  unknown_module: ['A task uses a module or action that Ansible does not know', 'Install the collection it is from'],
  inventory_missing: ['The inventory does not exist', 'Name it with --inventory'],
  inventory_invalid: ['Ansible cannot read the inventory', 'Run ansible-inventory --list on it'],
  inventory_empty: ['The inventory names no host', 'Add hosts to it, or name another with --inventory'],
  host_not_in_inventory: ['The inventory does not name this host', 'SERVER_NAME must be a host name of the inventory'],
  host_not_in_run: ['The run did not touch this host', "Look at the plays' hosts: and at --limit"],
  unreachable: ['The server could not be reached', 'Try ssh to it from where the check runs'],
  auth_failed: ['The server refused the SSH key', 'Look at SSH_PRIVATE_KEY and the authorized_keys of the user'],
  host_key_unknown: [
    'The host key of the server is not known',
    'Commit it to ansible/known_hosts or set SSH_KNOWN_HOSTS',
  ],
  host_key_changed: [
    'The server shows another host key than the known one',
    'Find out why before you trust the new one',
  ],
  ssh_missing: ['ssh could not be started', 'Install openssh-client where the check runs'],
  connection_lost: ['The connection to the server was lost', 'The next check will tell whether it is back'],
  answer_invalid: [
    'The server did not answer as agreed',
    'Look at what it prints when you log in, and at who may change files on it',
  ],
  look_failed: ['The files of the server could not be looked at', 'Run gitops-status check without --fast'],
  ssh_key_invalid: ['SSH_PRIVATE_KEY was not accepted', 'It must be a whole private key without a passphrase'],
  ssh_agent_failed: ['No ssh-agent could be started', 'Install openssh-client where the check runs'],
  python_missing: ['The server has no Python that Ansible can use', 'Install python3 on it'],
  become_failed: ['Ansible could not become another user on the server', 'Look at sudo and the become password'],
  vault_password_missing: ['A value is encrypted, and there is no password for it', 'Set ANSIBLE_VAULT_PASSWORD_FILE'],
  disk_full: ['A disk is full', 'Make room on it'],
  task_failed: ['A task failed', 'Run the playbook by hand with --check --diff'],
  task_failed_ignored: [
    'A task failed, and the playbook ignored it',
    'A failure that is ignored still compared nothing',
  ],
  run_cut_short: ['The run ended before its last play reached this host', "Look at the run's output"],
  run_failed: ['Ansible ended with an error that belongs to no host', "Look at the run's output"],
  changed_during_check: [
    'The server was changed again and again while it was checked',
    'Wait until whoever works on it has finished',
  ],
  path_unreadable: [
    'Something that is watched can no longer be read',
    'Look at its permissions, and at those of its directories',
  ],
  coverage_too_low: ['Too little of the playbook was checked', 'Look at what was not checked, or lower --min-coverage'],
  nothing_verified: ['No task compared anything with the server', 'Were all tasks skipped, or left out by --tags?'],
  not_a_check: ['The run was not in check mode', 'Every play must run in check mode'],
  result_missing: ['Ansible wrote no result', "Look at the run's output"],
  result_invalid: ["Ansible's result was not understood", 'Are the callback plugin and gitops-status of one version?'],
  ansible_killed: ['Ansible was killed', 'Is there enough memory where the check runs?'],
  timeout: ['The check took too long', 'Raise --timeout, or look for a server that hangs'],
  interrupted: ['The check was interrupted', 'The next one will tell'],
} as const satisfies Record<string, readonly [sentence: string, hint: string]>

export type CheckErrorCode = keyof typeof CHECK_ERRORS

export interface CheckError {
  readonly code: CheckErrorCode
  readonly message: string
}

/** @param detail What Ansible or ssh said, in one line. It comes from outside and is cut and cleaned here. */
export function checkError(code: CheckErrorCode, detail = ''): CheckError {
  const [sentence] = CHECK_ERRORS[code]
  const said = [...printable(detail)].slice(0, MAX_DETAIL_LENGTH).join('')
  return { code, message: said === '' ? sentence : `${sentence}: ${said}` }
}

export function hintFor(code: CheckErrorCode): string {
  return CHECK_ERRORS[code][1]
}

const MAX_DETAIL_LENGTH = 400

/** One line that a terminal shows as it is: no escape codes, no control or direction marks. */
export function printable(text: string): string {
  return text
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
    .replace(/[\s\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
}
