import { useRef } from 'react'
import { useRoute } from 'wouter'
import { useKeys } from './keys.ts'

type Keys = readonly (readonly [key: string, does: string])[]

/** What each page listens to. */
const FLEET: Keys = [
  ['/', 'search'],
  ['j, k', 'the next, the previous target or card'],
  ['Enter', 'open it'],
  ['Esc', 'clear the search'],
]
const ACTIVITY: Keys = [
  ['/', 'search'],
  ['Esc', 'clear the search; back to the fleet as you left it'],
]
const TARGET: Keys = [['Esc', 'back to the fleet as you left it']]
const EVERYWHERE: Keys = [['?', 'this help']]

/** What the words and the keys mean. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null)
  const [isFleet] = useRoute('/')
  const [isActivity] = useRoute('/activity')
  const [isTarget] = useRoute('/targets/:repo/:server')
  const keys = isFleet ? FLEET : isActivity ? ACTIVITY : isTarget ? TARGET : []
  const open = () => dialog.current?.showModal()
  useKeys({ '?': open })
  return (
    <>
      <button type="button" className="quiet" onClick={open} aria-haspopup="dialog">
        Help
      </button>
      <dialog ref={dialog} aria-labelledby="help-title">
        <h2 id="help-title">What you see</h2>
        <dl>
          <dt>Synced</dt>
          <dd>The last check compared everything it declares with Git, and found no difference.</dd>
          <dt>Out of sync</dt>
          <dd>The server differs from Git, in the files that are listed.</dd>
          <dt>Unknown</dt>
          <dd>A check failed, or no report came in time. The drift that was last seen stays on show.</dd>
          <dt>Since, known</dt>
          <dd>
            Since tells when the check that first said so began. The activity is in the order in which this server came
            to know of it, and tells both.
          </dd>
          <dt>Late, stale</dt>
          <dd>A report is due; and so long overdue that what was known no longer counts.</dd>
        </dl>
        <h2>Keys on this page</h2>
        <dl className="keys">
          {[...keys, ...EVERYWHERE].map(([key, meaning]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  )
}
