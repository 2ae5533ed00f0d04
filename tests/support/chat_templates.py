"""Small chat templates in the shapes of well-known families, written for the tests."""

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

DATED_AND_TRIMMING = """
{{- bos_token }}
{%- set today = strftime_now('%d %b %Y') %}
{%- if messages[0]['role'] == 'system' %}
    {%- set said = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set said = '' %}
{%- endif %}
{{- '[system] Today is ' + today + '. ' + said + eos_token }}
{%- for message in messages %}
    {{- '[' + message.role + '] ' + message.content | trim + eos_token }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '[assistant] ' }}
{%- endif %}
"""

WITHOUT_SYSTEM = """
{{- bos_token }}
{%- if messages[0].role == 'system' %}
    {{- raise_exception('System role not supported') }}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Roles must alternate user/assistant/user/assistant/…') }}
    {%- endif %}
    {%- set role = 'model' if message.role == 'assistant' else message.role %}
    {{- '<turn>' + role + '\n' + message.content + '</turn>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<turn>model\n' }}
{%- endif %}
"""

GLUES_SYSTEM_TO_THE_LAST_QUESTION = """
{{- bos_token }}
{%- if messages[0].role == 'system' %}
    {%- set system = messages[0].content %}
    {%- set messages = messages[1:] %}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'user' %}
        {%- set before = system + '\n\n' if system is defined and loop.last else '' %}
        {{- '[INST]' + before + message.content + '[/INST]' }}
    {%- else %}
        {{- ' ' + message.content + eos_token }}
    {%- endif %}
{%- endfor %}
"""

DROPS_SYSTEM = """
{%- for message in messages if message.role != 'system' %}
    {{- message.role + ': ' + message.content + '\n' }}
{%- endfor %}
{{- 'assistant:' }}
"""

REPEATS_THE_LAST_QUESTION = CHATML + "{# again #}{{ messages[-1].content }}"

OPENS_REASONING = """
{%- for message in messages %}
    {%- set content = message.content %}
    {%- if message.role == 'assistant' and '</think>' in content %}
        {%- set content = content.split('</think>')[-1].lstrip('\n') %}
    {%- endif %}
    {{- '<|' + message.role + '|>' + content + eos_token }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|><think>\n' }}
{%- endif %}
"""

CHANNELS = """
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {%- if message.thinking and loop.last %}
            {{- '<|start|>assistant<|channel|>analysis<|message|>' + message.thinking + '<|end|>' }}
        {%- endif %}
        {{- '<|start|>assistant<|channel|>final<|message|>' + message.content + '<|end|>' }}
    {%- else %}
        {{- '<|start|>' + message.role + '<|message|>' + message.content + '<|end|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start|>assistant' }}
{%- endif %}
"""

SWITCHES_REASONING = """
{%- for message in messages %}
    {%- set content = message.content %}
    {%- if message.role == 'assistant' %}
        {% generation %}
        {%- set content = content.split('</think>')[-1] %}
        {% endgeneration %}
    {%- endif %}
    {%- if message.role == 'tool' %}{% continue %}{% endif %}
    {{- '<|' + message.role + '|>' + message.content.split('</think>')[-1] + '\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>' }}
    {%- if enable_thinking is defined and not enable_thinking %}
        {{- '<think>\n\n</think>\n\n' }}
    {%- endif %}
{%- endif %}
"""

KEEPS_REASONING = CHATML + "{% if false %}<think></think>{% endif %}"

WANTS_TOOLS = "{% if tools is defined %}{{ tools.nothing.more }}{% endif %}" + CHATML
