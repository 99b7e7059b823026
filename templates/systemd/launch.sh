{{ signature }}
{%- if let Some(directory) = directory %}
cd -- {{ directory }} || exit 200
[ $# -eq 0 ] || exec "$@"
{%- endif %}
{%- if let Some(name) = credential %}
set -a
. "$CREDENTIALS_DIRECTORY/{{ name }}" || exit 243
set +a
{%- endif %}
exec /usr/bin/env
{%- for word in words %} \
    {{ word }}
{%- endfor %}
