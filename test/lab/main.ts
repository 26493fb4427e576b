// npm run lab: a server, the product round it, and something to try it on, until Ctrl-C.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { deploy, sshArguments, startStatusServer, watch } from './lab-product.ts'
import { type Lab, startLab } from './lab-server.ts'
import { announceLab, findRunningLab, labDirectory, removeStaleLab } from './running-lab.ts'

const SERVER = 'rsyslog-lab'

async function main() {
  const other = findRunningLab()
  if (other) throw new Error(`A lab is running already (process ${other.pid}). Look into it with: npm run lab:ssh`)
  removeStaleLab()

  const interrupted = untilInterrupted()
  console.log(`Starting ${SERVER}, a real sshd with an /etc of its own; this machine's files stay untouched.`)
  await using lab = await startLab({ servers: [SERVER], directory: labDirectory() })
  announceLab({ pid: process.pid, server: SERVER, sshConfig: lab.sshConfig })
  const directory = labDirectory()
  await using server = await startStatusServer(directory)
  useTemporaryDirectory(join(directory, 't'))

  console.log('Deploying the repository to it with Ansible ...')
  await deploy(lab.sshConfig, interrupted)
  if (!interrupted.aborted) explain(lab, server.url, join(directory, 'known_hosts'))
  await watch(lab, server.url, interrupted)
  console.log('\nStopping the lab.')
}

function explain(lab: Lab, url: string, knownHostsFile: string) {
  console.log(`
  Status page      ${url}/
  For Grafana      ${url}/status.json

In another terminal:
  Edit a file      npm run lab:ssh -- 'echo "# by hand" >> /etc/rsyslog.d/30-lab.conf'
  Open a session   npm run lab:ssh
  Deploy           npm run lab:deploy
  Check by hand    ANSIBLE_SSH_COMMON_ARGS='${sshArguments(lab.sshConfig)}' \\
                   ansible-playbook -i ansible/inventory/hosts.yml ansible/playbooks/drift-check.yml
  Report by hand   ANSIBLE_SSH_COMMON_ARGS='${sshArguments(lab.sshConfig)}' SSH_KNOWN_HOSTS_FILE=${knownHostsFile} \\
                   GITOPS_STATUS_SERVER_URL=${url} REPO_NAME=rsyslog SERVER_NAME=${SERVER} ./update-gitops-status.sh

The server is checked every few seconds; each change of state shows up here. Ctrl-C ends the lab.
`)
  if (!lab.server(SERVER).canChown) console.log('Not started as root: on this server, files can belong to root only.\n')
}

/** What a check that is cut short leaves behind then goes with the lab. */
function useTemporaryDirectory(path: string) {
  mkdirSync(path, { mode: 0o700 })
  process.env.TMPDIR = path
}

/** Listens from the start, so that Ctrl-C while things come up still takes them down. */
function untilInterrupted(): AbortSignal {
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => interruption.abort())
  }
  return interruption.signal
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
