@rem {{ signature }}
@echo off
setlocal DisableDelayedExpansion
chcp 65001 >nul
rem SYSTEM and Administrators do everything there, Users read, whatever they are called in this language.
if exist {{ folder }} goto folder
mkdir {{ folder }}
if not exist {{ folder }} exit /b 1
icacls {{ folder }} /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F *S-1-5-32-545:(OI)(CI)RX >nul
if %errorlevel% neq 0 exit /b %errorlevel%
:folder
if exist {{ nssm }} goto found
if exist {{ nssm_beside }} goto copy
echo nssm.exe is missing: put it beside this batch, or at {{ nssm }}
exit /b 1
:copy
copy /b /y {{ nssm_beside }} {{ nssm }} >nul
if %errorlevel% neq 0 exit /b %errorlevel%
:found
{%- if let Some(runner) = runner %}
rem RunService leaves an error log behind when the program fails; a host may do without it.
if exist {{ runner.exe }} goto runner
if not exist {{ runner.beside }} goto runner
copy /b /y {{ runner.beside }} {{ runner.exe }} >nul
if %errorlevel% neq 0 exit /b %errorlevel%
:runner
{%- endif %}
{%- for (from, to) in copies %}
copy /b /y {{ from }} {{ to }} >nul
if %errorlevel% neq 0 exit /b %errorlevel%
{%- endfor %}
{%- if let Some(values) = values %}
if exist {{ values.file }} goto values
type nul >{{ values.file }}
if not exist {{ values.file }} exit /b 1
icacls {{ values.file }} /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F >nul
if %errorlevel% neq 0 exit /b %errorlevel%
echo Fill in {{ values.file }} as in {{ values.example }} before you start the service.
:values
{%- endif %}
sc query {{ name }} >nul 2>nul
if not errorlevel 1 goto update
{{ install }}
if %errorlevel% neq 0 exit /b %errorlevel%
{%- for line in initial %}
{{ line }}
if %errorlevel% neq 0 exit /b %errorlevel%
{%- endfor %}
goto settings
:update
rem What an earlier install or somebody else has set, and this one does not.
{%- for one in forgotten %}
{{ one.delete }} >nul 2>nul
{{ one.query }} >nul 2>nul
if not errorlevel 1 exit /b 1
{%- endfor %}
{%- for line in reset %}
{{ line }} >nul
if %errorlevel% neq 0 exit /b %errorlevel%
{%- endfor %}
:settings
{%- if let Some(runner) = runner %}
if exist {{ runner.exe }} goto through
{%- for line in runner.direct %}
{{ line }}
if %errorlevel% neq 0 exit /b %errorlevel%
{%- endfor %}
goto rest
:through
{%- for line in runner.through %}
{{ line }}
if %errorlevel% neq 0 exit /b %errorlevel%
{%- endfor %}
:rest
{%- endif %}
{%- for line in set %}
{{ line }}
if %errorlevel% neq 0 exit /b %errorlevel%
{%- endfor %}
exit /b 0
