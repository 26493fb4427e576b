// A controller to be killed: asks for a look that takes as long as anybody likes.
import { openHost } from '../../src/drift/snapshot/host-session.ts'

const { access, options, watched } = JSON.parse(process.argv[2] ?? '')
const session = await openHost(access, options, 30_000)
if ('error' in session) throw new Error(session.error.message)
console.log('open')
if (watched !== null) console.log(await session.look(watched, 600_000))
setInterval(() => {}, 1_000)
