-- How many records failed, and why. A record that failed once more after a replay is counted once
-- more.
-- Columns: reason, records
-- Parameters: datehour, since_millis
WITH failure AS (
    -- The same record of the same moment, written twice, failed once.
    SELECT DISTINCT errorcode, errormessage, rawdata, arrivaltimestamp
    FROM failed_clicks
    WHERE datehour >= ? AND coalesce(attemptendingtimestamp, arrivaltimestamp, 0) >= ?
)
SELECT
    coalesce(errorcode, 'unknown') || coalesce(': ' || errormessage, '') AS reason,
    count(*) AS records
FROM failure
GROUP BY 1
ORDER BY records DESC, reason
