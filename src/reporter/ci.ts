import type { ReportBody } from '../contract/report.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Where a report comes from, as far as the CI says it. */
export interface Origin {
  /** Goes into the User-Agent, and from there into the server's log. */
  readonly name: string
  readonly revision?: ReportBody['revision']
  readonly pipeline?: ReportBody['pipeline']
  readonly runId?: string
}

interface Ci {
  readonly name: string
  readonly isHere: (env: Env) => boolean
  readonly read: (env: Env) => {
    readonly commit?: string | undefined
    readonly branch?: string | undefined
    readonly commitUrl?: string | undefined
    readonly url?: string | undefined
    readonly number?: string | undefined
    readonly event?: string | undefined
    readonly runId?: string | undefined
  }
}

// https://docs.github.com/en/actions/reference/workflows-and-actions/variables
const readGitHub: Ci['read'] = (env) => ({
  commit: env.GITHUB_SHA,
  branch: env.GITHUB_REF_NAME,
  commitUrl: `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/commit/${env.GITHUB_SHA}`,
  url: `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/actions/runs/${env.GITHUB_RUN_ID}`,
  number: env.GITHUB_RUN_NUMBER,
  event: env.GITHUB_EVENT_NAME,
  runId: joined([env.GITHUB_REPOSITORY, env.GITHUB_RUN_ID, env.GITHUB_RUN_ATTEMPT]),
})

/** Every CI that fills in a report by itself. Forgejo sets GitHub's variables too, so it is asked first. */
const CIS: readonly Ci[] = [
  {
    name: 'Woodpecker',
    isHere: (env) => env.CI === 'woodpecker',
    // https://woodpecker-ci.org/docs/usage/environment; a rerun keeps the pipeline's number.
    read: (env) => ({
      commit: env.CI_COMMIT_SHA,
      branch: env.CI_COMMIT_BRANCH,
      commitUrl: env.CI_PIPELINE_FORGE_URL,
      url: env.CI_PIPELINE_URL,
      number: env.CI_PIPELINE_NUMBER,
      event: env.CI_PIPELINE_EVENT,
      runId: joined([env.CI_REPO, env.CI_PIPELINE_NUMBER, env.CI_PIPELINE_RERUNS ?? '0']),
    }),
  },
  {
    name: 'Forgejo Actions',
    isHere: (env) => env.FORGEJO_ACTIONS === 'true' || env.GITEA_ACTIONS === 'true',
    read: readGitHub,
  },
  { name: 'GitHub Actions', isHere: (env) => env.GITHUB_ACTIONS === 'true', read: readGitHub },
  {
    name: 'GitLab CI',
    isHere: (env) => env.GITLAB_CI === 'true',
    // https://docs.gitlab.com/ci/variables/predefined_variables/
    read: (env) => ({
      commit: env.CI_COMMIT_SHA,
      branch: env.CI_COMMIT_REF_NAME,
      commitUrl: `${env.CI_PROJECT_URL}/-/commit/${env.CI_COMMIT_SHA}`,
      url: env.CI_PIPELINE_URL,
      number: env.CI_PIPELINE_IID,
      event: env.CI_PIPELINE_SOURCE,
      runId: joined([env.CI_PROJECT_PATH, env.CI_PIPELINE_ID, env.CI_JOB_ID]),
    }),
  },
]

/** Reads what the CI says of itself. What it says wrongly is left out: a check is worth more than its link. */
export function originOf(env: Env): Origin {
  const ci = CIS.find(({ isHere }) => isHere(env))
  if (ci === undefined) return { name: 'by hand' }

  const { commit, branch, commitUrl, url, number, event, runId } = ci.read(env)
  return {
    name: ci.name,
    ...(commit && {
      revision: {
        commit: text(commit),
        ...(branch && { branch: text(branch) }),
        ...(isLink(commitUrl) && { url: commitUrl }),
      },
    }),
    pipeline: {
      ...(isLink(url) && { url }),
      ...(number && /^\d{1,15}$/.test(number) && { number: Number(number) }),
      ...(event && { event: text(event) }),
    },
    ...(runId && { runId: text(runId) }),
  }
}

function joined(parts: readonly (string | undefined)[]): string | undefined {
  return parts.every((part) => part !== undefined && part !== '') ? parts.join('/') : undefined
}

function isLink(value: string | undefined): value is string {
  return value !== undefined && value.length <= 2_048 && /^https?:\/\/[^\s"<>]+$/.test(value)
}

// The server's limit for a short text.
function text(value: string): string {
  return value.replaceAll('\u0000', '').slice(0, 512).toWellFormed()
}
