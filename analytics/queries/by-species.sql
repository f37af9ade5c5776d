-- Which species are looked at most.
-- Columns: species, clicks, users
-- Parameters: datehour, since
WITH click AS (
    -- A click that was delivered more than once is one click.
    SELECT DISTINCT
        coalesce(clickid, userid || '|' || mysfitid || '|' || clickedat) AS id,
        userid,
        species
    FROM clicks
    WHERE datehour >= ? AND clickedat >= ?
)
SELECT
    species,
    count(*) AS clicks,
    count(DISTINCT userid) AS users
FROM click
GROUP BY species
ORDER BY clicks DESC, species
