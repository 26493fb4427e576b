import ts from 'typescript'

/** An object of the Kubernetes API, as it is applied. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> }
}

const TOOLS = new URL('../../scripts/kubernetes-tools/', import.meta.url)

/** What an API server with strict field validation would object to: wrong types and values, and fields it does not know. */
export async function schemaProblems(objects: readonly KubernetesObject[]): Promise<string[]> {
  const wrong = await Promise.all(objects.map(wrongValues))
  return [...wrong.flat(), ...unknownFields(objects)]
}

/** By the validators that the packages make of the OpenAPI schemas. They let unknown fields pass. */
async function wrongValues(object: KubernetesObject): Promise<string[]> {
  const { [object.kind]: Model } = await import(new URL(`node_modules/${moduleOf(object)}.js`, TOOLS).href)
  try {
    new Model(object).validate()
    return []
  } catch (error) {
    return [`${object.kind} ${object.metadata.name}: ${error instanceof Error ? error.message : error}`]
  }
}

/** By the types that the same packages make of the same schemas: the compiler knows every field of a literal. */
function unknownFields(objects: readonly KubernetesObject[]): string[] {
  const fileName = new URL('objects.ts', TOOLS).pathname
  const source = objects
    .map((object, i) => {
      const type = `import('${moduleOf(object)}').I${object.kind}`
      return `export const object${i}: ${type} = ${JSON.stringify(object, null, 1)}`
    })
    .join('\n')

  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2024,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (path) => path === fileName || fileExists(path)
  host.readFile = (path) => (path === fileName ? source : readFile(path))
  host.getSourceFile = (path, language, ...rest) =>
    path === fileName ? ts.createSourceFile(path, source, language) : getSourceFile(path, language, ...rest)

  const program = ts.createProgram([fileName], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ messageText, start = 0 }) => {
    const line = source.slice(0, start).split('\n').length - 1
    return `${ts.flattenDiagnosticMessageText(messageText, ' ')} Here: ${source.split('\n')[line]?.trim()}`
  })
}

function moduleOf({ apiVersion, kind }: KubernetesObject): string {
  const isOfOperator = apiVersion.startsWith('monitoring.coreos.com/')
  return `${isOfOperator ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models'}/${apiVersion}/${kind}`
}
