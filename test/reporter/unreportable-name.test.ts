import assert from 'node:assert/strict'
import { it } from 'node:test'
import { makeRepository, runGitopsStatus, startRecorder, stored } from './check-run.ts'

it('reports the other servers when the server would refuse the name of one', async () => {
  await using recorder = await startRecorder(stored)
  using repository = makeRepository({
    'hosts.yml': 'all:\n  hosts:\n    "web%1":\n    web2:\n  vars: { ansible_connection: local }\n',
    'site.yml':
      '- hosts: all\n  gather_facts: false\n  tasks: [ansible.builtin.file: { path: /etc, state: directory }]\n',
  })

  const { code, stderr } = await runGitopsStatus({
    directory: repository.directory,
    args: ['report', '--playbook', 'site.yml', '--inventory', 'hosts.yml'],
    env: { HOME: repository.directory, GITOPS_STATUS_SERVER_URL: recorder.url, REPO_NAME: 'rsyslog' },
  })

  assert.equal(code, 3)
  assert.match(stderr, /^✗ web%1 is not reported: a server's name is letters, digits/)
  assert.deepEqual(
    recorder.reports.map(({ server, sync_status }) => `${server} ${sync_status}`),
    ['web2 SYNCED'],
  )
})
