-- try-records: tries the steps of give-trial one after the other, each in a subtransaction of its own, and undoes them all.
-- Leaves in forebay.failures a JSON object: the key of each step that failed, and [SQLSTATE, message, detail,
-- the name that the step was given, or null].
-- One round trip, whatever the number of records. Whatever a step fails with, it failed: what that says of the record is the
-- caller's to judge. FB001: a delta's row does not exist. The block's own FB000 undoes the steps, while its variables keep their values.
DO $trial$
DECLARE
  statements CONSTANT json := current_setting('forebay.statements')::json;
  step json;
  failures jsonb := '{}';
  message text;
  detail text;
  affected bigint;
BEGIN
  BEGIN
    SET CONSTRAINTS ALL IMMEDIATE;
    FOR step IN SELECT * FROM json_array_elements(current_setting('forebay.steps')::json) LOOP
      CONTINUE WHEN failures ? (step ->> 1);
      BEGIN
        EXECUTE statements ->> (step ->> 0)::int
          USING CASE json_typeof(step -> 3) WHEN 'array' THEN step -> 3 ELSE json_build_array(step -> 3) END;
        GET DIAGNOSTICS affected = ROW_COUNT;
        IF affected = 0 AND (step ->> 4)::boolean THEN
          RAISE EXCEPTION 'The row does not exist.' USING ERRCODE = 'FB001';
        END IF;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
        failures := failures || jsonb_build_object(step ->> 2, jsonb_build_array(SQLSTATE, message, detail, step ->> 5));
      END;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'FB000';
  EXCEPTION WHEN SQLSTATE 'FB000' THEN
    NULL;
  END;
  PERFORM set_config('forebay.failures', failures::text, true);
END
$trial$
