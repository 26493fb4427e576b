import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Fault } from '../../domain/fault.ts'
import { acceptsGzip } from '../answer-rendering.ts'
import { addRoute, describeOfService } from '../operation.ts'

export interface Asset {
  readonly type: string
  readonly body: Buffer
  readonly gzipped: Buffer
}

const ASSET = describeOfService({
  path: '/assets/{name}',
  id: 'getAsset',
  right: 'open',
  summary: 'A part of the dashboard',
  params: Type.Object({ name: Type.String({ description: 'As the page names it.' }) }),
  answer: {
    status: 200,
    description: 'The file.',
    content: { 'text/javascript': Type.String(), 'text/css': Type.String() },
  },
  faults: ['not_found'],
})

export interface Needs {
  readonly assets: ReadonlyMap<string, Asset>
}

/** `GET /assets/{name}`: what the dashboard consists of. */
export function addAssets(server: FastifyInstance, { assets }: Needs): void {
  addRoute(server, ASSET, async ({ params: { name }, request, reply }) => {
    const asset = assets.get(name)
    if (asset === undefined) throw new Fault('not_found', 'There is nothing at this path')
    // Its name holds a digest of its content.
    reply.headers({ 'cache-control': 'public, max-age=31536000, immutable', vary: 'accept-encoding' }).type(asset.type)
    if (!acceptsGzip(request.headers['accept-encoding'])) return reply.send(asset.body)
    return reply.header('content-encoding', 'gzip').send(asset.gzipped)
  })
}
