//! What the server says of itself, for whoever looks for what is wrong.

use deadpool_postgres::GenericClient;

use super::super::column::time;
use super::super::record::Server;
use super::convert::count;
use super::fault::Fault;
use super::statement::{get, row};

pub(super) async fn server(client: &impl GenericClient) -> Result<Server, Fault> {
    let sql = "SELECT current_setting('server_version'),
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
        coalesce((SELECT s.ssl FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid()), false),
        has_table_privilege('feed', 'INSERT') AND has_table_privilege('feed', 'UPDATE')
          AND has_table_privilege('page_job', 'DELETE'),
        has_schema_privilege(current_schema(), 'CREATE'),
        pg_is_in_recovery(),
        (SELECT count(*) FROM pg_stat_activity a WHERE a.backend_type = 'client backend'),
        current_setting('max_connections')::bigint,
        current_user::text";
    let row = row(client, sql, &[]).await?;
    Ok(Server {
        version: get(&row, 0)?,
        clock: time(get(&row, 1)?),
        is_encrypted: get(&row, 2)?,
        may_write: get(&row, 3)?,
        may_migrate: get(&row, 4)?,
        is_standby: get(&row, 5)?,
        n_connections: count(&row, 6)?,
        max_connections: count(&row, 7)?,
        user: get(&row, 8)?,
    })
}
