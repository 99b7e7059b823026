@rem {{ signature }}
@echo off
setlocal DisableDelayedExpansion
chcp 65001 >nul
if exist {{ nssm }} goto found
echo nssm.exe is missing: put it at {{ nssm }}
exit /b 1
:found
{%- for folder in folders %}
if not exist {{ folder }} mkdir {{ folder }}
if errorlevel 1 exit /b %errorlevel%
{%- endfor %}
{%- for (from, to) in copies %}
copy /y {{ from }} {{ to }} >nul
if errorlevel 1 exit /b %errorlevel%
{%- endfor %}
sc query {{ name }} >nul 2>nul
if not errorlevel 1 goto update
{{ install }}
if errorlevel 1 exit /b %errorlevel%
:update
{%- for line in set %}
{{ line }}
if errorlevel 1 exit /b %errorlevel%
{%- endfor %}
exit /b 0
