-- The table of diag405 report from the records of a fleet: what file-log wrote, or
-- whatever keeps the records that http-log sends, one JSON object a line.
--
--   duckdb -c ".read report.sql"      in a folder with records/*.jsonl
SELECT
  count(*) AS count,
  d.cause AS cause,
  d.route AS route,
  d.upstream.method AS method,
  split_part(d.upstream.path, '?', 1) AS path,
  to_timestamp(min(started_at) / 1000) AS first,
  to_timestamp(max(started_at) / 1000) AS last,
  arg_min(d.client.method || ' ' || d.client.path, started_at) AS client,
  arg_min(d.fixes[1].words, started_at) AS fix
FROM (
  SELECT started_at, diag405 AS d
  FROM read_json('records/*.jsonl', format = 'newline_delimited', columns = {
    started_at: 'BIGINT',
    diag405: 'STRUCT(cause VARCHAR, route VARCHAR, client STRUCT(method VARCHAR, path VARCHAR),
      upstream STRUCT(method VARCHAR, path VARCHAR), fixes STRUCT(words VARCHAR)[])'
  })
  WHERE diag405 IS NOT NULL
)
GROUP BY ALL
ORDER BY count DESC, cause, route, path;
