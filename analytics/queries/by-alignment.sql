-- Whether the good or the evil are looked at more, the lawful or the chaotic: by heart and manners.
-- Columns: goodevil, lawchaos, clicks, users
-- Parameters: datehour, since
WITH click AS (
    -- A click that was delivered more than once is one click.
    SELECT DISTINCT
        coalesce(clickid, userid || '|' || mysfitid || '|' || clickedat) AS id,
        userid,
        goodevil,
        lawchaos
    FROM clicks
    WHERE datehour >= ? AND clickedat >= ?
)
SELECT
    goodevil,
    lawchaos,
    count(*) AS clicks,
    count(DISTINCT userid) AS users
FROM click
GROUP BY goodevil, lawchaos
ORDER BY clicks DESC, goodevil, lawchaos
