import { actionsPipeline } from './actions-pipeline.ts'
import { gitlabPipeline } from './gitlab-pipeline.ts'
import type { RepositoryFacts } from './repository-facts.ts'
import { woodpeckerPipeline } from './woodpecker-pipeline.ts'

export interface Pipeline {
  readonly title: string
  readonly file: string
  /** Where the CI looks first: with something there, `file` would never be read. */
  readonly before?: { readonly folder: string; readonly file: string }
  /** What shows that a repository uses this CI. */
  readonly signs: readonly string[]
  readonly render: (facts: RepositoryFacts) => string
  /** What no file in the repository can do. */
  readonly nextSteps: (facts: RepositoryFacts) => readonly string[]
}

// v4.2.2, for runners that have no Node 24 for actions yet.
const CHECKOUT_4 = 'actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2'
const CHECKOUT_5 = 'actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0'

const ON_THE_FORGE = {
  checkout: CHECKOUT_4,
  schedule: '*/2 * * * *',
  scheduleTraps: ['Runs on the default branch only.'],
  intervalSeconds: null,
}

const imageStep = ({ image }: RepositoryFacts) =>
  image.includes('/')
    ? `Push the image: ${image}`
    : `Push the image ${image} to a registry that your runners reach, and run init again with --image`

const forgeSteps = (title: string) => (facts: RepositoryFacts) => [
  imageStep(facts),
  `${title}, Settings, Actions, Secrets: ${secretsOf(facts).join(', ')}`,
  'The schedule begins with the next push to the default branch',
]

/** Every CI that `gitops-status init` writes a pipeline for. */
export const PIPELINES = {
  woodpecker: {
    title: 'Woodpecker',
    file: '.woodpecker.yml',
    before: { folder: '.woodpecker', file: '.woodpecker.yaml' },
    signs: ['.woodpecker.yml', '.woodpecker.yaml', '.woodpecker'],
    render: woodpeckerPipeline,
    nextSteps: (facts) => [
      facts.image.includes('/')
        ? imageStep(facts)
        : `Build the image ${facts.image} on each agent, or push it to a registry`,
      `Woodpecker, repository settings, Secrets: ${secretsOf(facts).join(', ')}, each for push, cron and manual`,
      'Make the cron job and look whether anything is missing: WOODPECKER_SERVER=… WOODPECKER_TOKEN=… gitops-status woodpecker setup',
    ],
  },
  gitea: {
    title: 'Gitea Actions',
    file: '.gitea/workflows/gitops.yml',
    signs: ['.gitea/workflows'],
    render: (facts) => actionsPipeline(facts, { ...ON_THE_FORGE, title: 'Gitea Actions' }),
    nextSteps: forgeSteps('Gitea'),
  },
  forgejo: {
    title: 'Forgejo Actions',
    file: '.forgejo/workflows/gitops.yml',
    signs: ['.forgejo/workflows'],
    render: (facts) => actionsPipeline(facts, { ...ON_THE_FORGE, title: 'Forgejo Actions' }),
    nextSteps: forgeSteps('Forgejo'),
  },
  github: {
    title: 'GitHub Actions',
    file: '.github/workflows/gitops.yml',
    signs: ['.github/workflows'],
    render: (facts) =>
      actionsPipeline(facts, {
        title: 'GitHub Actions',
        checkout: CHECKOUT_5,
        schedule: '*/5 * * * *',
        scheduleTraps: [
          'Five minutes is the least. Runs come late when GitHub is busy, on the default branch only, and in a public',
          'repository no more after 60 days without a commit. Hence GITOPS_STATUS_INTERVAL below.',
        ],
        intervalSeconds: 900,
      }),
    nextSteps: (facts) => [
      imageStep(facts),
      `GitHub, Settings, Secrets and variables, Actions: ${secretsOf(facts).join(', ')}`,
      'The runner must reach the servers and gitops-status-server: those of GitHub itself are on the internet',
    ],
  },
  gitlab: {
    title: 'GitLab CI',
    file: '.gitlab-ci.yml',
    signs: ['.gitlab-ci.yml'],
    render: gitlabPipeline,
    nextSteps: (facts) => [
      imageStep(facts),
      `GitLab, Settings, CI/CD, Variables: SSH_PRIVATE_KEY_FILE of type File, protected${facts.token ? '; GITOPS_STATUS_TOKEN, masked and protected' : ''}`,
      'GitLab, Build, Pipeline schedules: gitops_sync_check on the default branch, as often as it lets you',
    ],
  },
} as const satisfies Record<string, Pipeline>

export type CiName = keyof typeof PIPELINES

export const CI_NAMES = Object.keys(PIPELINES) as CiName[]

function secretsOf({ token }: RepositoryFacts): string[] {
  return token ? ['SSH_PRIVATE_KEY', 'GITOPS_STATUS_TOKEN'] : ['SSH_PRIVATE_KEY']
}
