{{ signature }}
{%- if let Some(directory) = directory %}
cd -- {{ directory }} || exit 200
[ $# -eq 0 ] || exec "$@"
{%- endif %}
exec /usr/bin/env
{%- for word in words %} \
    {{ word }}
{%- endfor %}
