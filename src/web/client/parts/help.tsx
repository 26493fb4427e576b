import { useRef } from 'react'
import { useKeys } from './keys.ts'

const KEYS = [
  ['/', 'search'],
  ['j, k', 'the next, the previous target or card'],
  ['Enter', 'open it'],
  ['Esc', 'clear the search; back to the fleet as you left it'],
  ['?', 'this help'],
] as const

/** What the words and the keys mean. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null)
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
        <h2>Keys</h2>
        <dl className="keys">
          {KEYS.map(([key, meaning]) => (
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
