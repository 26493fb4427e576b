// The house rules of ARCHITECTURE.md. Each rule's comment is what you are shown
// when you break it, so it says why, not only what.

const STEPS = 'drift|reporter|init|http|access|ingest|store|feed|snapshot|history|stream|metrics|badge|web'
const LEAVES = ['http', 'access', 'ingest', 'store', 'feed', 'snapshot', 'history', 'stream', 'metrics', 'badge']

const leavesNeverMeet = LEAVES.map((step) => ({
  name: `${step}-meets-others-in-app`,
  comment: `${step}/ takes what it needs as arguments. Steps meet in app.ts only, so that each can be read, tested and replaced alone.`,
  severity: 'error',
  from: { path: `^src/${step}/` },
  to: { path: `^src/(?!(${step}|contract|domain)/)` },
}))

export default {
  forbidden: [
    {
      name: 'domain-stands-alone',
      comment:
        'domain/ decides what is true. It has no I/O, no clock and no imports, so that its rules can be proven by property tests.',
      severity: 'error',
      from: { path: '^src/domain/', pathNot: '[.]test[.]ts$' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'contract-knows-only-domain',
      comment: 'contract/ is the wire format. It must not lean on how we store, serve or send it.',
      severity: 'error',
      from: { path: '^src/contract/', pathNot: '[.]test[.]ts$' },
      to: { path: '^src/(?!(contract|domain|redaction)/)' },
    },
    {
      name: 'redaction-at-both-ends-and-nowhere-else',
      comment:
        'What a report brings is redacted where it is made (reporter/) and where it is read (contract/), before anybody else sees it. Who redacted again behind that would hide that one of the two had failed.',
      severity: 'error',
      from: { path: '^src/(?!(redaction|reporter|contract)/)' },
      to: { path: '^src/redaction/' },
    },
    {
      name: 'redaction-stands-alone',
      comment: 'redaction/ takes text and gives text: both ends use it, so it knows neither.',
      severity: 'error',
      from: { path: '^src/redaction/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(src/(?!redaction/)|node_modules/)' },
    },
    {
      name: 'check-and-report-need-no-server',
      comment:
        'drift/, reporter/ and web/ run on other machines than the server: they share the types of the wire with it and no code.',
      severity: 'error',
      from: { path: '^src/(drift|reporter|web)/', pathNot: '[.]test[.]ts$' },
      to: { path: '^src/(contract|domain)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'reporter-needs-no-server',
      comment:
        'The reporter runs the drift check, sends its result and sets up what that takes; nothing of the server belongs to it.',
      severity: 'error',
      from: { path: '^src/reporter/' },
      to: {
        path: '^src/(?!(reporter|drift|init|woodpecker|redaction|contract|domain)/)',
        pathNot: '^src/(closest-word|unified-difference|wrong-settings)[.]ts$',
      },
    },
    {
      name: 'reporter-needs-no-packages',
      comment:
        'The reporter also runs from a checkout in which nobody ran npm, as in a pipeline: a package is not there.',
      severity: 'error',
      from: { path: '^src/(drift|reporter|init|woodpecker|redaction|unified-difference)\\b', pathNot: '[.]test[.]ts$' },
      to: { path: 'node_modules', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'drift-does-not-send',
      comment: 'drift/ finds out how a server differs from Git. Who is told about it is not its business.',
      severity: 'error',
      from: { path: '^src/drift/' },
      to: { path: '^src/(?!(drift|contract|domain)/)' },
    },
    {
      name: 'what-sets-up-stands-alone',
      comment:
        'init/ says what files a repository needs, woodpecker/ what Woodpecker is told. Who is asked, and with what words, is the command line in reporter/.',
      severity: 'error',
      from: { path: '^src/(init|woodpecker)/', pathNot: '[.]test[.]ts$' },
      to: { path: '^src/(?!$1/)', pathNot: '^src/unified-difference[.]ts$' },
    },
    ...leavesNeverMeet,
    {
      name: 'only-mains-and-tests-start-the-app',
      comment: 'app.ts wires the product together. Whoever imports it is on top of it, never part of it.',
      severity: 'error',
      from: { path: `^src/(${STEPS}|contract|domain)/`, pathNot: '[.]test[.]ts$' },
      to: { path: '^src/app[.]ts$' },
    },
    {
      name: 'bench-looks-from-outside',
      comment:
        'bench/ measures the server that users start, over the network. Code shared with it would be measured twice, or be wrong on both sides and never noticed.',
      severity: 'error',
      // A controller is a process of its own, and is measured from outside as well.
      from: { path: '^bench/', pathNot: '^bench/controllers/' },
      to: { path: '^src/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'grafana-is-built-apart',
      comment:
        'grafana/ builds files that Grafana reads. It knows the API as any client does, and the server knows nothing of it.',
      severity: 'error',
      from: { path: '^(src|grafana)/' },
      to: { path: '^(src|grafana)/', pathNot: '^$1/' },
    },
    {
      name: 'browsers-run-their-own-code',
      comment:
        'src/web/client/ runs in browsers and is bundled; the server shares nothing with it but the types of the wire.',
      severity: 'error',
      from: { path: '^src/(?!web/client/)' },
      to: { path: '^src/web/client/' },
    },
    {
      name: 'no-cycles',
      comment: 'A cycle means that two files are one: neither can be understood without the other.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'Nobody imports this file: delete it, or wire it in.',
      severity: 'error',
      from: {
        orphan: true,
        path: '^src/',
        pathNot: '([.]test[.]ts$|-worker[.]ts$|^src/web/client/(main[.]tsx|theme[.]ts)$)',
      },
      to: {},
    },
    {
      name: 'production-needs-no-dev-packages',
      comment:
        'Production installs leave out dev and optional packages; this import would crash there. What runs in a browser is bundled before.',
      severity: 'error',
      from: { path: '^src/', pathNot: '([.]test[.]ts$|^src/web/client/)' },
      to: { dependencyTypes: ['npm-dev', 'npm-optional'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-undeclared-packages',
      comment: 'The package is not in package.json; it works here by accident.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'everything-resolves',
      comment: 'This import points nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    detectProcessBuiltinModuleCalls: true,
    builtInModules: { add: ['node:sqlite', 'node:test'] },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    tsConfig: { fileName: 'tsconfig.json' },
  },
}
