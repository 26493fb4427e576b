import type { ReportAnswer } from '../contract/answer.ts'
import type { ReportBody } from '../contract/report.ts'
import type { Submission } from '../contract/submission.ts'
import type { Received } from '../domain/report.ts'
import { answerForDuplicate, answerForStored, type Duplicate, type Stored } from './answer-for.ts'
import { createGroupCommit } from './group-commit.ts'
import { refuseUntrue } from './refuse-untrue.ts'

export interface Needs {
  readonly append: (received: readonly Received<ReportBody>[]) => Promise<(Stored | Duplicate)[]>
  readonly now: () => Date
}

/** Takes in what a request brought. Resolves when it is on the disk and on show, to one answer for each report. */
export type Ingest = (submission: Submission, bytes: number) => Promise<ReportAnswer[]>

export function createIngest({ append, now }: Needs): Ingest {
  const submit = createGroupCommit(append)

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
      return one.duplicateOf === null ? answerForStored(valid, one) : answerForDuplicate(valid, one)
    })
  }
}
