import type { ReportAnswer } from '../contract/answer.ts'
import type { ReportBody } from '../contract/report.ts'
import type { Submission } from '../contract/submission.ts'
import type { Recorded } from '../domain/recorded.ts'
import type { Received } from '../domain/report.ts'
import type { TargetState } from '../domain/target-state.ts'
import { answerForDuplicate, answerForStored } from './answer-for.ts'
import { createGroupCommit } from './group-commit.ts'
import { refuseUntrue } from './refuse-untrue.ts'

export interface Needs {
  readonly append: (received: readonly Received<ReportBody>[]) => Promise<Appended[]>
  /** Told of everything that was stored, after the commit and before anyone is answered. */
  readonly publish: (recorded: readonly Recorded<ReportBody>[]) => void
  readonly now: () => Date
}

type Appended =
  | (Recorded<ReportBody> & { readonly duplicateOf: null })
  | { readonly duplicateOf: Date; readonly state: TargetState<ReportBody> }

/** Takes in what a request brought. Resolves when it is on the disk and on show, to one answer for each report. */
export type Ingest = (submission: Submission, bytes: number) => Promise<ReportAnswer[]>

export function createIngest({ append, publish, now }: Needs): Ingest {
  const submit = createGroupCommit(async (received) => {
    const appended = await append(received)
    publish(appended.filter((one) => one.duplicateOf === null))
    return appended
  })

  return async (submission, bytes) => {
    const arrivedAt = now()
    refuseUntrue(submission, arrivedAt)

    const { reports } = submission
    const appended = await submit(
      reports.map(({ report }) => ({ report, arrivedAt })),
      bytes,
    )
    return appended.map((one, index) => {
      const valid = reports[index]
      if (valid === undefined) throw new Error(`The store answered for ${appended.length} reports of ${reports.length}`)
      return one.duplicateOf === null
        ? answerForStored(valid, one)
        : answerForDuplicate(valid, one.duplicateOf, one.state)
    })
  }
}
