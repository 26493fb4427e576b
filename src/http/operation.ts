import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static, type TObject, type TSchema } from 'typebox'
import type { Cover, Permit, Right } from '../domain/authorize.ts'
import { Fault, type FaultCode } from '../domain/fault.ts'
import type { Target } from '../domain/report.ts'
import { noSuchTarget } from './no-such-target.ts'
import { createQueryReader, type Query } from './query.ts'

/** One route as `/openapi.json` tells of it. The same schemas read what is asked and give the handler its types. */
export interface Operation<Params extends TObject = TObject, Asked extends TObject = TObject> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With its parameters in braces: `/api/v1/targets/{repo}/{server}`. */
  readonly path: string
  readonly id: string
  readonly tag: 'reports' | 'rows' | 'badges' | 'events' | 'targets' | 'history' | 'service'
  /** What a token needs for it, where tokens are asked for. */
  readonly right: Right
  /** It tells of all targets at once: not for a token that is for some of them. */
  readonly ofAll?: true
  readonly summary: string
  readonly description?: string
  readonly params?: Params
  readonly query?: Asked
  /** Of `application/json`. What reads it stands in `contract/`. */
  readonly body?: TSchema
  /** When all went well. */
  readonly answer: Answer
  /** What can go wrong with it in particular. */
  readonly faults?: readonly FaultCode[]
}

export interface Answer {
  readonly status: number
  readonly description: string
  /** By content type; none when there is no body. */
  readonly content: Readonly<Record<string, TSchema>>
}

export interface Asked<Params extends TObject, Query extends TObject> {
  readonly params: Static<Params>
  readonly query: Static<Query> & Within
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Goes with what is asked for to whoever chooses the targets of an answer. */
export interface Within {
  /** The targets that may be told of. Null: all. */
  readonly within: Cover
}

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation
  }
  interface FastifyRequest {
    /** What it may do, once it has been let in. */
    permit: Permit
  }
}

/** For `operation: Operation`, with the types of its parameters kept. */
export function describeOperation<Params extends TObject, Query extends TObject>(
  operation: Operation<Params, Query>,
): Operation<Params, Query> {
  return operation
}

type OfService<Params extends TObject> = Pick<
  Operation<Params>,
  'path' | 'id' | 'right' | 'ofAll' | 'summary' | 'description' | 'params' | 'answer' | 'faults'
>

/** What belongs to the server itself: fetched, with no parameters but those of its path. */
export function describeOfService<Params extends TObject>(operation: OfService<Params>): Operation<Params, TObject> {
  return { ...operation, method: 'GET', tag: 'service', query: Type.Object({}) }
}

/** Adds a route together with its description. There is no other way to add one. */
export function addRoute<Params extends TObject, Asking extends TObject>(
  server: FastifyInstance,
  operation: Operation<Params, Asking>,
  handler: (asked: Asked<Params, Asking>) => Promise<unknown>,
): void {
  const readQuery = createQueryReader(operation.query)
  server.route<{ Params: Static<Params>; Querystring: Query }>({
    method: operation.method,
    url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    config: { operation },
    handler: (request, reply) => {
      const { params, permit } = request
      refuseUncovered(operation, params, permit)
      const query = { ...readQuery(request.query), within: permit.covers }
      return handler({ params, query, request, reply } as Asked<Params, Asking>)
    },
  })
}

// In one place, so that no route can forget it. Whoever may not know a target is told what is said of one that is not there.
function refuseUncovered({ params, ofAll, right }: Operation, names: unknown, { covers }: Permit): void {
  if (covers === null || right === 'open') return
  if (ofAll) throw new Fault('forbidden', 'This tells of all targets, and the token is for some of them')
  if (params === undefined || !('repo' in params.properties && 'server' in params.properties)) return
  const { repo, server } = names as Target // the router found both in the path
  if (!covers.has({ repo, server })) throw noSuchTarget({ repo, server })
}

/** The description of every route, in the order in which they are added. A route without one stops the start. */
export function collectOperations(server: FastifyInstance): readonly Operation[] {
  const operations: Operation[] = []
  server.addHook('onRoute', ({ method, url, config }) => {
    const operation = config?.operation
    if (operation === undefined) throw new Error(`${method} ${url} has no description: add it with addRoute`)
    if (!operations.includes(operation)) operations.push(operation) // Fastify adds a HEAD to each GET
  })
  return operations
}

/** The methods that a path takes, for `Allow`. */
export function methodsAt(operations: readonly Operation[], path: string): string[] {
  return operations
    .filter((operation) => patternOf(operation.path).test(path))
    .flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '[.]').replaceAll(/\{\w+\}/g, '[^/]+')}$`)
}
