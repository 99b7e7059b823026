/* `certutil -hashfile FILE SHA256` as Windows prints it, for Wine, whose own prints nothing. */

#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>
#include <wincrypt.h>

int wmain(int argc, wchar_t **argv)
{
    unsigned char buffer[1 << 16], sum[32];
    DWORD size, length = sizeof sum, at;
    HCRYPTPROV provider;
    HCRYPTHASH hash;
    HANDLE file;

    if (argc != 4 || wcscmp(argv[1], L"-hashfile") || wcscmp(argv[3], L"SHA256")) {
        return 2;
    }
    file = CreateFileW(argv[2], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        printf("CertUtil: -hashfile command FAILED: 0x80070002 (WIN32: 2 ERROR_FILE_NOT_FOUND)\r\n");
        printf("CertUtil: The system cannot find the file specified.\r\n");
        return 2;
    }
    if (!CryptAcquireContextW(&provider, NULL, NULL, PROV_RSA_AES, CRYPT_VERIFYCONTEXT)
        || !CryptCreateHash(provider, CALG_SHA_256, 0, 0, &hash)) {
        return 3;
    }
    while (ReadFile(file, buffer, sizeof buffer, &size, NULL) && size > 0) {
        CryptHashData(hash, buffer, size, 0);
    }
    if (!CryptGetHashParam(hash, HP_HASHVAL, sum, &length, 0)) {
        return 3;
    }
    printf("SHA256 hash of %ls:\r\n", argv[2]);
    for (at = 0; at < length; at++) {
        printf("%02x", sum[at]);
    }
    printf("\r\nCertUtil: -hashfile command completed successfully.\r\n");
    return 0;
}
