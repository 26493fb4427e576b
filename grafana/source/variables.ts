import {
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DATA_SOURCE, infinityQuery, type RowsQuery } from './infinity-query.ts'

/** Which repositories and servers a dashboard is about, and where the status page is for whoever looks. */
export function variables({ statusPage }: { readonly statusPage: string }) {
  return [
    names('repo', { label: 'Repository', path: '/api/v1/repos' }),
    names('server', { label: 'Server', path: '/api/v1/servers', params: { repo: '${repo:csv}' } }),
    new TextBoxVariableBuilder('status_page')
      .label('Status page')
      .description('Where a browser finds gitops-status-server, for links')
      .defaultValue(statusPage)
      .current({ selected: true, text: statusPage, value: statusPage }),
  ]
}

function names(name: string, { label, ...query }: { label: string } & Pick<RowsQuery, 'path' | 'params'>) {
  const columns = ['__text', '__value'].map((title) => ({ title, selector: 'name', type: 'string' }) as const)
  return (
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(DATA_SOURCE)
      .query({
        queryType: 'infinity',
        refId: 'variable',
        infinityQuery: infinityQuery({ ...query, columns }, 'variable'),
      })
      // A server that appears while a dashboard is open can be chosen at its next refresh.
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalCaseInsensitiveAsc)
      .multi(true)
      .includeAll(true)
      // One `*` and not every name: an address has room for some hundred names only, and new ones would be missing.
      .allValue('*')
      .current({ selected: true, text: 'All', value: '$__all' })
  )
}
