// npm run lab: a server to try the product on, until Ctrl-C.
import { type Lab, startLab } from './lab-server.ts'
import { announceLab, findRunningLab, labDirectory, removeStaleLab } from './running-lab.ts'

const SERVER = 'rsyslog-lab'

async function main() {
  const other = findRunningLab()
  if (other) throw new Error(`A lab is running already (process ${other.pid}). Look into it with: npm run lab:ssh`)
  removeStaleLab()

  const interrupted = untilInterrupted()
  await using lab = await startLab({ servers: [SERVER], directory: labDirectory() })
  announceLab({ pid: process.pid, server: SERVER, sshConfig: lab.sshConfig })
  explainServer(lab)
  await interrupted
  console.log('\nStopping the lab.')
}

function explainServer(lab: Lab) {
  const { host, port, canChown } = lab.server(SERVER)
  console.log(`${SERVER} is up: a real sshd on ${host}:${port}. Its files are its own; this machine's stay untouched.

  Open a session   npm run lab:ssh
  Edit a file      npm run lab:ssh -- 'echo "# by hand" >> /etc/rsyslog.conf'
  Without npm      ssh -F ${lab.sshConfig} ${SERVER}
  Stop             Ctrl-C`)
  if (!canChown) console.log('\nNot started as root: on this server, files can belong to root only.')
}

/** Listens from the start, so that Ctrl-C while things come up still takes them down. */
function untilInterrupted() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stayAlive = setInterval(() => {}, 2 ** 30)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      clearInterval(stayAlive)
      resolve()
    })
  }
  return promise
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
