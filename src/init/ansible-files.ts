import { posix } from 'node:path'
import { CHECK_PLAYBOOK, type RepositoryFacts } from './repository-facts.ts'

/** Refuses to do anything but check: run by hand without --check, an imported playbook would deploy. */
export function driftCheckPlaybook({ deployPlaybook }: RepositoryFacts): string {
  return `---
# Compares each host with Git: the playbook that deploys, in check mode, so there is no second list to fall out of step.
# gitops-status runs it with --check and judges what it finds.
- name: Refuse to run without --check
  hosts: all
  gather_facts: false
  any_errors_fatal: true
  tags: [always]
  tasks:
    - name: What follows is the playbook that deploys
      ansible.builtin.assert:
        that: ansible_check_mode
        fail_msg: "Run it with --check, or with gitops-status check: without, it would deploy"
        quiet: true

- name: Compare with Git
  ansible.builtin.import_playbook: ${posix.relative(posix.dirname(CHECK_PLAYBOOK), deployPlaybook)}
`
}

export const EMPTY_KNOWN_HOSTS = `# The host keys of the servers, one a line, as in ~/.ssh/known_hosts. Fill it with
#   ssh-keyscan -p 22 server.example.org >> ansible/known_hosts
# and compare the fingerprints (ssh-keygen -lf ansible/known_hosts) with what each server's own console shows
# (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) before you commit them.
`
