// npm run lab:deploy: rolls the repository out to the server of the lab that `npm run lab` runs.
import { deploy } from './lab-product.ts'
import { findRunningLab } from './running-lab.ts'

const lab = findRunningLab()
if (lab) {
  await deploy(lab.sshConfig, new AbortController().signal)
  console.log(`Deployed to ${lab.server}.`)
} else {
  console.error('No lab is running. Start one in another terminal: npm run lab')
  process.exitCode = 1
}
