// npm run lab:ssh -- [command]: a session on the server of the lab that `npm run lab` runs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { findRunningLab } from './running-lab.ts'

const lab = findRunningLab()
if (lab) {
  // Without "--", ssh would take options of the command for its own.
  const ssh = spawn('ssh', ['-F', lab.sshConfig, '--', lab.server, ...process.argv.slice(2)], { stdio: 'inherit' })
  const [code] = await once(ssh, 'exit')
  process.exitCode = code ?? 1
} else {
  console.error('No lab is running. Start one in another terminal: npm run lab')
  process.exitCode = 1
}
